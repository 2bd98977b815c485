package proxy_test

import (
	"context"
	"runtime/metrics"
	"time"
)

// heapPeak watches the live heap until ctx ends and then tells the most that it was.
func heapPeak(ctx context.Context) <-chan uint64 {
	peak := make(chan uint64, 1)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		most := uint64(0)
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-ctx.Done():
				peak <- most
				return
			}
		}
	}()
	return peak
}
