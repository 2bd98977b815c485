package idle_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/idle"
)

type conn struct{ closed bool }

func TestPool(t *testing.T) {
	t.Parallel()
	clock := &idle.Clock{}
	p := idle.NewWith[string](func(c *conn) error { c.closed = true; return nil }, clock)
	if _, ok := p.Take("a"); ok {
		t.Error("an empty pool gave something")
	}
	a, b := &conn{}, &conn{}
	keep := func(key string, c *conn) {
		t.Helper()
		if err := p.Keep(key, c); err != nil {
			t.Fatal(err)
		}
	}
	keep("a", a)
	keep("a", b)
	if _, ok := p.Take("b"); ok {
		t.Error("another key's connection was given")
	}
	if got, ok := p.Take("a"); !ok || got != b {
		t.Error("the last one kept is not the first one taken")
	}
	clock.Fire()
	if !a.closed || b.closed {
		t.Errorf("after the timeout: idle closed %v, taken closed %v", a.closed, b.closed)
	}
	if _, ok := p.Take("a"); ok {
		t.Error("an expired connection was given")
	}
	var all []*conn
	for range idle.PerKey + 1 {
		c := &conn{}
		all = append(all, c)
		keep("a", c)
	}
	if !all[idle.PerKey].closed || all[0].closed {
		t.Error("the limit of a key is not kept")
	}
	for i := range idle.Total {
		c := &conn{}
		keep(string(rune('A'+i)), c)
		if over := idle.PerKey+i >= idle.Total; c.closed != over {
			t.Errorf("connection %d: closed %v, want %v", idle.PerKey+i, c.closed, over)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if !all[0].closed {
		t.Error("Close left a connection open")
	}
	late := &conn{}
	keep("a", late)
	if !late.closed {
		t.Error("a closed pool kept a connection")
	}
}

func TestPool_CloseFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	p := idle.New[string](func(*conn) error { return broken })
	if err := p.Keep("a", &conn{}); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); !errors.Is(err, broken) {
		t.Errorf("Close: %v", err)
	}
}

func TestPool_Concurrent(t *testing.T) {
	t.Parallel()
	p := idle.New[int](func(*conn) error { return nil })
	var group sync.WaitGroup
	var mu sync.Mutex
	used := map[*conn]bool{}
	for range 8 {
		group.Go(func() {
			for i := range 200 {
				c, ok := p.Take(i % 3)
				if !ok {
					c = &conn{}
				}
				mu.Lock()
				if used[c] {
					t.Error("two have the same connection")
				}
				used[c] = true
				mu.Unlock()
				mu.Lock()
				used[c] = false
				mu.Unlock()
				if err := p.Keep(i%3, c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
