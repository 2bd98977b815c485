package server

import (
	"encoding/base64"
	"encoding/hex"
	"sync"
	"time"
)

// bucket lets through so many calls a second, and a burst of as many.
type bucket struct {
	mu   sync.Mutex
	rate float64
	left float64
	last time.Time
}

func newBucket(rate float64) *bucket { return &bucket{rate: rate, left: rate} }

func (b *bucket) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.last.IsZero() {
		b.left = min(b.left+now.Sub(b.last).Seconds()*b.rate, b.rate)
	}
	b.last = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// base64All writes in base64 what was given in hex.
func base64All(hexed []string) []string {
	out := make([]string, 0, len(hexed))
	for _, h := range hexed {
		if raw, err := hex.DecodeString(h); err == nil { // we made it
			out = append(out, base64.StdEncoding.EncodeToString(raw))
		}
	}
	return out
}
