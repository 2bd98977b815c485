package record_test

import (
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

var sink []byte

func BenchmarkAppendEntry(b *testing.B) {
	e := full()
	buf := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		buf = record.AppendEntry(buf[:0], &e)
	}
	b.SetBytes(int64(len(buf)))
	sink = buf
}

func BenchmarkAppendEntry1000Keys(b *testing.B) {
	e := full()
	e.Keys = nil
	for range 500 {
		e.Keys = append(e.Keys, "SERVICE_DATABASE_URL", "PAYMENT_API_SECRET_KEY")
	}
	buf := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		buf = record.AppendEntry(buf[:0], &e)
	}
	b.SetBytes(int64(len(buf)))
	sink = buf
}

func BenchmarkAppendLine(b *testing.B) {
	e := full()
	body := record.AppendEntry(nil, &e)
	buf := make([]byte, 0, 64<<10)
	head := record.Head{}
	b.ReportAllocs()
	for b.Loop() {
		buf, head = record.AppendLine(buf[:0], body, head)
	}
	b.SetBytes(int64(len(buf)))
	sink = buf
}

func BenchmarkParseLine(b *testing.B) {
	e := full()
	line := seal(b, &e, record.Head{})
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := record.ParseLine(line); err != nil || !ok {
			b.Fatal(err)
		}
	}
}
