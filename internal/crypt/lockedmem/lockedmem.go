// Package lockedmem keeps small secrets, such as keys, in memory that is not swapped out, not written into core dumps,
// fenced by inaccessible pages, and wiped when it is given back.
//
// All buffers of a process share one region of Slots slots; when that is full another region is made. Locking memory is
// subject to a limit of the system: where it refuses, a Buffer still works and Locked says so.
package lockedmem

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

const (
	// SlotSize is the most bytes that one Buffer holds.
	SlotSize = 64
	// Slots is how many buffers one region has room for: one page of 4 KiB.
	Slots = 4096 / SlotSize
)

// ErrTooLarge is returned by Alloc for more than SlotSize bytes.
var ErrTooLarge = errors.New("more bytes than a locked buffer holds")

// region is one locked stretch of memory between two guard pages.
type region struct {
	usable []byte
	used   [Slots]bool
	locked bool
}

var (
	mu      sync.Mutex
	regions []*region
)

// Buffer is a stretch of locked memory. Its bytes are not to be used after Destroy.
type Buffer struct {
	region *region
	slot   int
	bytes  []byte
}

// Alloc returns a zeroed Buffer of n bytes, 1 to SlotSize.
func Alloc(n int) (*Buffer, error) {
	if n < 1 || n > SlotSize {
		return nil, fmt.Errorf("allocating %d bytes: %w", n, ErrTooLarge)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, r := range regions {
		if b := r.take(n); b != nil {
			return b, nil
		}
	}
	r, err := newRegion()
	if err != nil {
		return nil, err
	}
	regions = append(regions, r)
	return r.take(n), nil
}

func (r *region) take(n int) *Buffer {
	for i, used := range r.used {
		if !used {
			r.used[i] = true
			at := i * SlotSize
			return &Buffer{region: r, slot: i, bytes: r.usable[at : at+n : at+n]}
		}
	}
	return nil
}

// newRegion maps guard, memory, guard. The memory is at least a page and Slots*SlotSize long.
func newRegion() (*region, error) {
	page := os.Getpagesize()
	size := (Slots*SlotSize + page - 1) / page * page
	usable, locked, err := mapGuarded(page, size)
	if err != nil {
		return nil, fmt.Errorf("allocating locked memory: %w", err)
	}
	return &region{usable: usable, locked: locked}, nil
}

// Bytes returns the memory itself.
func (b *Buffer) Bytes() []byte { return b.bytes }

// Locked reports whether the system agreed to keep the memory from being swapped out.
func (b *Buffer) Locked() bool { return b.region.locked }

// Destroy wipes the buffer and gives its slot back. Calling it again does nothing.
func (b *Buffer) Destroy() {
	mu.Lock()
	defer mu.Unlock()
	if b.bytes == nil {
		return
	}
	clear(b.bytes)
	b.bytes = nil
	b.region.used[b.slot] = false
}
