//go:build unix

package lockedmem

import "golang.org/x/sys/unix"

// mapGuarded maps size bytes between two pages that nobody may touch.
func mapGuarded(page, size int) (usable []byte, locked bool, err error) {
	all, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, false, err
	}
	usable = all[page : page+size]
	if err := unix.Mprotect(usable, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		return nil, false, err
	}
	excludeFromDumps(usable)
	return usable, unix.Mlock(usable) == nil, nil
}
