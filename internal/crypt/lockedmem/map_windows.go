package lockedmem

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapGuarded maps size bytes between two pages that nobody may touch.
func mapGuarded(page, size int) (usable []byte, locked bool, err error) {
	base, err := windows.VirtualAlloc(0, uintptr(size+2*page), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_NOACCESS)
	if err != nil {
		return nil, false, err
	}
	at := base + uintptr(page)
	var old uint32
	if err := windows.VirtualProtect(at, uintptr(size), windows.PAGE_READWRITE, &old); err != nil {
		return nil, false, err
	}
	usable = unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&at))), size)
	return usable, windows.VirtualLock(at, uintptr(size)) == nil, nil
}
