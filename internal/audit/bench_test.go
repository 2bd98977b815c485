package audit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// BenchmarkRecord records from several goroutines at once; Bare writes and syncs the same bytes, one line at a time, as
// what a log without group commit would pay at least.
func BenchmarkRecord(b *testing.B) {
	for _, sync := range []audit.Sync{audit.SyncDisk, audit.SyncOS} {
		name := []string{"disk", "os"}[sync]
		b.Run(name+"/bare", func(b *testing.B) { bare(b, sync == audit.SyncDisk) })
		for _, n := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				bench := newBench(b)
				bench.opts.Sync = sync
				l := bench.open(b)
				inParallel(b, n, func(i int) error { return l.Record(b.Context(), entry(i)) })
				must(b, l.Close())
			})
		}
	}
}

// inParallel calls fn b.N times from n goroutines.
func inParallel(b *testing.B, n int, fn func(i int) error) {
	var wg sync.WaitGroup
	var next atomic.Int64
	b.ResetTimer()
	for range n {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := fn(int(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// bare writes lines to a file and syncs each.
func bare(b *testing.B, disk bool) {
	f, err := os.OpenFile(filepath.Join(b.TempDir(), "bare"), os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	must(b, err)
	e := entry(1)
	e.Time = new(clock).now()
	line, _ := record.AppendLine(nil, record.AppendEntry(nil, &e), record.Head{})
	for b.Loop() {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if disk {
			must(b, syncBare(f))
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	must(b, f.Close())
}

// BenchmarkProcess is what a short-lived process pays: open, record and sign, close. Bare opens a file, writes as many
// bytes, syncs and closes.
func BenchmarkProcess(b *testing.B) {
	for _, keys := range []int{2, 1000} {
		e := entry(0)
		e.Keys = nil
		for i := range keys {
			e.Keys = append(e.Keys, "SERVICE_TOKEN_"+strconv.Itoa(i))
		}
		bench := newBench(b)
		bench.write(b, 0, 100)
		l := bench.open(b)
		before := len(bench.read(b))
		must(b, l.RecordFinal(b.Context(), e))
		lines := bench.read(b)[before:]
		for _, sync := range []audit.Sync{audit.SyncDisk, audit.SyncOS} {
			name := fmt.Sprintf("%s/%d-keys", []string{"disk", "os"}[sync], keys)
			b.Run(name, func(b *testing.B) {
				bench.opts.Sync = sync
				for b.Loop() {
					l, err := audit.Open(bench.dir, bench.opts)
					must(b, err)
					must(b, l.RecordFinal(b.Context(), e))
					must(b, l.Close())
				}
			})
			b.Run(name+"/bare", func(b *testing.B) {
				path := filepath.Join(b.TempDir(), "bare")
				for b.Loop() {
					f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
					must(b, err)
					_, err = f.Write(lines)
					must(b, err)
					if sync == audit.SyncDisk {
						must(b, syncBare(f))
					}
					must(b, f.Close())
				}
			})
		}
	}
}
