// Package lockedmem keeps small secrets, such as keys, in memory that is not swapped out, is left out of core dumps where
// the system has a way to ask for that (Linux, Windows), is fenced by inaccessible pages, and is wiped when it is given
// back.
//
// Buffers of up to SlotSize bytes share regions of a page; a region that has been made is kept and used again. A larger
// Buffer has a region of its own. Locking memory is subject to a limit of the system: where it refuses, a Buffer still
// works and Locked says so.
package lockedmem

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

const (
	// SlotSize is the most bytes that a Buffer in a shared region holds.
	SlotSize = 64
	// MaxSize is the most bytes that one Buffer holds.
	MaxSize = 1 << 28
)

// ErrSize is returned by Alloc for fewer than one or more than MaxSize bytes.
var ErrSize = errors.New("locked memory holds 1 byte to 256 MiB")

// Buffer is a stretch of locked memory. It is for its owner to see that nobody uses its bytes after Destroy.
type Buffer struct {
	bytes   []byte
	locked  bool
	release func() error // gives the wiped memory back; nil after Destroy
}

// Alloc returns a zeroed Buffer of n bytes, 1 to MaxSize.
func Alloc(n int) (*Buffer, error) {
	if n < 1 || n > MaxSize {
		return nil, fmt.Errorf("allocating %d bytes: %w", n, ErrSize)
	}
	alloc := slabs.alloc
	if n > SlotSize {
		alloc = allocLarge
	}
	b, err := alloc(n)
	if err != nil {
		return nil, fmt.Errorf("allocating locked memory: %w", err)
	}
	return b, nil
}

// allocLarge maps a region of its own. The Buffer is at its end, so that a byte too far meets the fence.
func allocLarge(n int) (*Buffer, error) {
	r, err := mapRegion(n)
	if err != nil {
		return nil, err
	}
	at := len(r.usable) - n
	return &Buffer{bytes: r.usable[at:], locked: r.locked, release: r.unmap}, nil
}

// mapRegion maps whole pages for n bytes.
func mapRegion(n int) (*region, error) {
	page := os.Getpagesize()
	return mapGuarded(page, (n+page-1)/page*page)
}

// region is one stretch of memory between two guard pages.
type region struct {
	all    []byte // with the guard pages
	usable []byte
	locked bool
}

// Bytes returns the memory itself, nil after Destroy.
func (b *Buffer) Bytes() []byte { return b.bytes }

// Locked reports whether the system agreed to keep the memory from being swapped out.
func (b *Buffer) Locked() bool { return b.locked }

// Destroy wipes the buffer and gives the memory back. Calling it again does nothing; calling it twice at once is an error
// of the caller's.
func (b *Buffer) Destroy() {
	if b.release == nil {
		return
	}
	clear(b.bytes)
	release := b.release
	b.bytes, b.release = nil, nil
	if err := release(); err != nil {
		panic(fmt.Errorf("giving locked memory back: %w", err)) // only an address that was never mapped is refused
	}
}

// slabs are the shared regions of this process.
var slabs slabList

type slabList struct {
	mu   sync.Mutex
	list []*slab
}

// slab is a region cut into slots.
type slab struct {
	*region
	used []bool
	free int
}

func (l *slabList) alloc(n int) (*Buffer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.withRoom()
	if err != nil {
		return nil, err
	}
	slot := s.take()
	at := slot * SlotSize
	return &Buffer{bytes: s.usable[at : at+n : at+n], locked: s.locked, release: func() error { return l.give(s, slot) }}, nil
}

// withRoom returns a slab with a free slot; l.mu is held.
func (l *slabList) withRoom() (*slab, error) {
	for _, s := range l.list {
		if s.free > 0 {
			return s, nil
		}
	}
	r, err := mapRegion(SlotSize)
	if err != nil {
		return nil, err
	}
	slots := len(r.usable) / SlotSize
	s := &slab{region: r, used: make([]bool, slots), free: slots}
	l.list = append(l.list, s)
	return s, nil
}

// take marks a free slot as used; there is one.
func (s *slab) take() int {
	slot := 0
	for s.used[slot] {
		slot++
	}
	s.used[slot] = true
	s.free--
	return slot
}

func (l *slabList) give(s *slab, slot int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.used[slot] = false
	s.free++
	return nil
}
