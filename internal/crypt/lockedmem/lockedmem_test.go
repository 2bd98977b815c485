package lockedmem_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"runtime/debug"
	"sync"
	"testing"
	"unsafe"

	"github.com/ArcadeLabsInc/zvault/internal/crypt/lockedmem"
)

func TestAlloc_Sizes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1, lockedmem.MaxSize + 1, math.MaxInt} {
		if _, err := lockedmem.Alloc(n); !errors.Is(err, lockedmem.ErrSize) {
			t.Errorf("Alloc(%d): %v", n, err)
		}
	}
	page := os.Getpagesize()
	for _, n := range []int{1, 32, lockedmem.SlotSize, lockedmem.SlotSize + 1, page - 1, page, page + 1, 5 * page} {
		b, err := lockedmem.Alloc(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Bytes()) != n || cap(b.Bytes()) != n {
			t.Errorf("Alloc(%d) gave %d of %d bytes", n, len(b.Bytes()), cap(b.Bytes()))
		}
		if !bytes.Equal(b.Bytes(), make([]byte, n)) {
			t.Errorf("Alloc(%d) gave memory that is not zero", n)
		}
		for i := range b.Bytes() {
			b.Bytes()[i] = 0xa5
		}
		b.Destroy()
		b.Destroy()
		if b.Bytes() != nil {
			t.Errorf("Alloc(%d): bytes after Destroy", n)
		}
	}
}

// A byte before or behind a region cannot be read. A large buffer ends where its region does.
func TestAlloc_Fenced(t *testing.T) {
	t.Parallel()
	n := os.Getpagesize()
	b, err := lockedmem.Alloc(n)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Destroy()
	first, last := unsafe.Pointer(&b.Bytes()[0]), unsafe.Pointer(&b.Bytes()[n-1])
	if readable(first) != nil || readable(last) != nil {
		t.Error("the buffer itself cannot be read")
	}
	if readable(unsafe.Add(first, -1)) == nil {
		t.Error("the byte before can be read")
	}
	if readable(unsafe.Add(last, 1)) == nil {
		t.Error("the byte behind can be read")
	}
}

var sink byte

// readable reads one byte and returns the fault, if it was one.
func readable(at unsafe.Pointer) (fault any) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { fault = recover() }()
	sink = *(*byte)(at)
	return nil
}

// Whoever keeps the bytes sees them wiped: the slot stays mapped. Not parallel, so that nobody else takes it.
func TestDestroy_Wipes(t *testing.T) {
	b, err := lockedmem.Alloc(lockedmem.SlotSize)
	if err != nil {
		t.Fatal(err)
	}
	kept := b.Bytes()
	for i := range kept {
		kept[i] = 0xa5
	}
	b.Destroy()
	if !bytes.Equal(kept, make([]byte, len(kept))) {
		t.Error("the buffer was not wiped")
	}
}

// Buffers in use never overlap, a freed slot is wiped and used again, and a full region is followed by another.
func TestAlloc_Concurrent(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for range 50 {
				var held []*lockedmem.Buffer
				for range 40 {
					b, err := lockedmem.Alloc(32)
					if err != nil {
						t.Error(err)
						return
					}
					if !bytes.Equal(b.Bytes(), make([]byte, 32)) {
						t.Error("a slot was handed out with old contents")
						return
					}
					copy(b.Bytes(), bytes.Repeat([]byte{byte(g + 1)}, 32))
					held = append(held, b)
				}
				for _, b := range held {
					if !bytes.Equal(b.Bytes(), bytes.Repeat([]byte{byte(g + 1)}, 32)) {
						t.Error("two buffers share memory")
					}
					b.Destroy()
				}
			}
		})
	}
	wg.Wait()
}
