package redact_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

func randomValues(n int) []string {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // test data
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	all := make([]string, n)
	for i := range all {
		b := make([]byte, 20+r.IntN(41))
		for j := range b {
			b[j] = letters[r.IntN(len(letters))]
		}
		all[i] = string(b)
	}
	return all
}

// sample is a megabyte of what programs print, with a secret now and then.
func sample(values []string) []byte {
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // test data
	var b bytes.Buffer
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, "2026-11-23T10:%02d:%02d.%03dZ INFO  request id=%08x method=GET path=/v1/orders/%d status=200 duration=%dms\n", i/60%60, i%60, r.IntN(1000), r.Uint32(), r.IntN(1e6), r.IntN(900))
		fmt.Fprintf(&b, `{"level":"debug","msg":"cache miss","key":"user:%d","ttl":%d,"tags":["a","b"]}`+"\n", r.IntN(1e6), r.IntN(3600))
		if i%50 == 0 {
			noise := make([]byte, 300)
			for j := range noise {
				noise[j] = byte(r.Uint32())
			}
			b.WriteString(base64.StdEncoding.EncodeToString(noise) + "\n")
		}
		if i%20 == 0 {
			fmt.Fprintf(&b, "connected to postgres://app:***@db%d.internal:5432/app after %dms\n", r.IntN(9), r.IntN(50))
		}
		if i%1000 == 0 {
			b.WriteString("token=" + values[r.IntN(len(values))] + "\n")
		}
	}
	return b.Bytes()
}

func benchmarkWriter(b *testing.B, values []string) {
	m, text := matcher(b, values...), sample(values)
	b.SetBytes(int64(len(text)))
	b.ResetTimer()
	for b.Loop() {
		w := m.Writer(io.Discard)
		for chunk := range slices.Chunk(text, 32<<10) {
			if _, err := w.Write(chunk); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("%d values", n), func(b *testing.B) { benchmarkWriter(b, randomValues(n)) })
	}
	// A value of six bytes makes the window small for all.
	b.Run("1000 values, one short", func(b *testing.B) { benchmarkWriter(b, append(randomValues(999), "s3cr3t")) })
	b.Run("1000 values alike", func(b *testing.B) {
		all := randomValues(1000)
		for i := range all {
			all[i] = "postgres://app:" + all[i] // and the text is full of other addresses
		}
		benchmarkWriter(b, all)
	})
}

// BenchmarkNew also reports what a Matcher keeps in memory.
func BenchmarkNew(b *testing.B) {
	for _, n := range []int{50, 1000} {
		b.Run(fmt.Sprintf("%d values", n), func(b *testing.B) {
			all := randomValues(n)
			before := heap()
			m := matcher(b, all...)
			kept := heap() - before
			b.ReportAllocs()
			for b.Loop() {
				matcher(b, all...)
			}
			b.ReportMetric(float64(kept)/(1<<20), "MiB-kept")
			runtime.KeepAlive(m)
		})
	}
}

func heap() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc) //nolint:gosec // far less than that
}
