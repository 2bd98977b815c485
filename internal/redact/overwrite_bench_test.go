package redact_test

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkOverwriter masks in place, in chunks as a proxy reads them.
func BenchmarkOverwriter(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("%d values", n), func(b *testing.B) {
			values := randomValues(n)
			m, text := matcher(b, values...), sample(values)
			buf := make([]byte, 64<<10)
			b.SetBytes(int64(len(text)))
			b.ResetTimer()
			for b.Loop() {
				o, held := m.Overwriter(nil), 0
				for rest := text; len(rest) > 0; {
					n := copy(buf[held:], rest)
					rest = rest[n:]
					done := o.Mask(buf[:held+n], len(rest) == 0)
					held = copy(buf, buf[done:held+n])
				}
			}
		})
	}
}

// BenchmarkCopy is the memory's speed in the same chunks.
func BenchmarkCopy(b *testing.B) {
	text := bytes.Repeat([]byte("x"), 1<<20)
	buf := make([]byte, 64<<10)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for rest := text; len(rest) > 0; {
			rest = rest[copy(buf, rest):]
		}
	}
}
