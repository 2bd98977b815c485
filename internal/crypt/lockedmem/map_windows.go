package lockedmem

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapGuarded maps size bytes between two pages that nobody may touch.
func mapGuarded(page, size int) (*region, error) {
	base, err := windows.VirtualAlloc(0, uintptr(size+2*page), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_NOACCESS)
	if err != nil {
		return nil, err
	}
	// The address is not of the collector's memory, so holding it as a number is safe; vet cannot know.
	all := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&base))), size+2*page)
	r := &region{all: all, usable: all[page : page+size : page+size]}
	var old uint32
	if err := windows.VirtualProtect(r.address(), uintptr(size), windows.PAGE_READWRITE, &old); err != nil {
		return nil, errors.Join(err, r.unmap())
	}
	excludeFromDumps(r)
	r.locked = windows.VirtualLock(r.address(), uintptr(size)) == nil
	return r, nil
}

func (r *region) address() uintptr { return uintptr(unsafe.Pointer(&r.usable[0])) }

// unmap gives the memory back, and with it the lock.
func (r *region) unmap() error {
	return windows.VirtualFree(uintptr(unsafe.Pointer(&r.all[0])), 0, windows.MEM_RELEASE)
}

// excludeFromDumps keeps the memory out of error reports. Windows knows how from 10, 1703 on; before, and when it refuses,
// the memory works all the same.
func excludeFromDumps(r *region) {
	register := windows.NewLazySystemDLL("kernel32.dll").NewProc("WerRegisterExcludedMemoryBlock")
	if register.Find() != nil {
		return
	}
	_, _, _ = register.Call(r.address(), uintptr(len(r.usable)))
}
