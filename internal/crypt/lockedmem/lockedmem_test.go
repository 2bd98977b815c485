package lockedmem_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/crypt/lockedmem"
)

func TestAlloc_Sizes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1, lockedmem.SlotSize + 1} {
		if _, err := lockedmem.Alloc(n); !errors.Is(err, lockedmem.ErrTooLarge) {
			t.Errorf("Alloc(%d): %v", n, err)
		}
	}
	for _, n := range []int{1, 32, lockedmem.SlotSize} {
		b, err := lockedmem.Alloc(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Bytes()) != n || cap(b.Bytes()) != n {
			t.Errorf("Alloc(%d) gave %d of %d bytes", n, len(b.Bytes()), cap(b.Bytes()))
		}
		b.Destroy()
		b.Destroy()
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
