package storagetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

const (
	crashSlots = 8  // transactions take turns in the slots
	crashKeys  = 12 // keys in a slot, all written together
)

// crashChild writes numbered transactions until it is killed, and says each number once Update has returned.
func crashChild(t *testing.T, b storage.Backend) {
	n, err := crashNumber(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for {
		n++
		if err := b.Update(t.Context(), func(tx storage.Tx) error { return crashWrite(t.Context(), tx, n) }); err != nil {
			t.Fatal(err)
		}
		say(strconv.Itoa(n))
	}
}

// crashWrite is transaction n: it fills a slot and leaves the slot behind it empty. Its size varies, also beyond what
// a page or a log block holds.
func crashWrite(ctx context.Context, tx storage.Tx, n int) error {
	if err := tx.Put(ctx, "number", []byte(strconv.Itoa(n))); err != nil {
		return err
	}
	for i := range crashKeys {
		if err := tx.Put(ctx, crashKey(n, i), []byte(crashValue(n, i))); err != nil {
			return err
		}
		if err := tx.Delete(ctx, crashKey(n+1, i)); err != nil {
			return err
		}
	}
	return nil
}

func crashKey(n, i int) string { return fmt.Sprintf("slot/%d/%02d", n%crashSlots, i) }

func crashValue(n, i int) string {
	return fmt.Sprintf("%d,%d,", n, i) + strings.Repeat("x", (n*7919+i*104729)%(1+n%5*4000))
}

func crashNumber(ctx context.Context, r storage.Reader) (int, error) {
	all, err := dump(ctx, r)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return strconv.Atoi(all["number"])
}

// testCrash kills a writer at random moments. Each time, all transactions that it said were done must be there, the
// one after may be, and every one must be whole.
func testCrash(t *testing.T, open func(*testing.T, string) storage.Backend) {
	dir := t.TempDir()
	said := 0
	for round := range soak(10, 200) {
		last := killWriter(t, dir)
		if last > 0 {
			said = last
		}
		b := open(t, dir)
		all, err := dump(t.Context(), b)
		if err != nil {
			t.Fatalf("reading after kill %d: %v", round+1, err)
		}
		if err := b.Close(); err != nil {
			t.Fatalf("closing after kill %d: %v", round+1, err)
		}
		stored := checkWhole(t, all)
		if stored != said && stored != said+1 {
			t.Fatalf("after kill %d transaction %d is the last, but %d was acknowledged", round+1, stored, said)
		}
		said = stored
	}
	if said < 10 {
		t.Fatalf("only %d transactions were written in all", said)
	}
}

// killWriter lets a child write for a random while and kills it. It returns the last number that the child said, 0 if
// none.
func killWriter(t *testing.T, dir string) int {
	t.Helper()
	p := child(t, "crash", dir)
	p.start(t)
	atLeast, last := rand.IntN(20), 0
	moment := rand.N(4 * time.Millisecond)
	if atLeast == 0 {
		moment = rand.N(40 * time.Millisecond) // perhaps while the store is opened
	}
	var killer *time.Timer
	for count := 0; ; count++ {
		if count == atLeast {
			killer = time.AfterFunc(moment, func() { _ = p.cmd.Process.Kill() })
		}
		text, ok := p.line()
		if !ok {
			break
		}
		n, err := strconv.Atoi(text)
		if err != nil || last != 0 && n != last+1 {
			t.Fatalf("the writer said %q after %d", text, last)
		}
		last = n
	}
	_ = p.cmd.Wait() // it was killed
	if killer == nil || p.cmd.ProcessState.ExitCode() != -1 && os.PathSeparator == '/' {
		t.Fatalf("the writer ended by itself: %v\n%s", p.cmd.ProcessState, p.log)
	}
	return last
}

// checkWhole requires each slot to hold one whole transaction or nothing, and returns the number of the last.
func checkWhole(t *testing.T, all map[string]string) int {
	t.Helper()
	if len(all) == 0 {
		return 0
	}
	number, err := strconv.Atoi(all["number"])
	if err != nil {
		t.Fatalf("number: %v", err)
	}
	want := map[string]string{"number": strconv.Itoa(number)}
	for n := max(1, number-crashSlots+2); n <= number; n++ {
		for i := range crashKeys {
			want[crashKey(n, i)] = crashValue(n, i)
		}
	}
	for key, value := range want {
		if got, ok := all[key]; !ok || got != value {
			t.Fatalf("after transaction %d, %q is %.30q (%v), want %.30q", number, key, got, ok, value)
		}
	}
	if len(all) != len(want) {
		t.Fatalf("after transaction %d there are %d entries, want %d", number, len(all), len(want))
	}
	return number
}
