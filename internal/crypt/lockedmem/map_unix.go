//go:build unix

package lockedmem

import (
	"errors"

	"golang.org/x/sys/unix"
)

// mapGuarded maps size bytes between two pages that nobody may touch.
func mapGuarded(page, size int) (*region, error) {
	all, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	r := &region{all: all, usable: all[page : page+size : page+size]}
	if err := unix.Mprotect(r.usable, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		return nil, errors.Join(err, unix.Munmap(all))
	}
	excludeFromDumps(r.usable)
	r.locked = unix.Mlock(r.usable) == nil
	return r, nil
}

// unmap gives the memory back, and with it the lock.
func (r *region) unmap() error { return unix.Munmap(r.all) }
