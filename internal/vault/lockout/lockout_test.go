package lockout_test

import (
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/lockout"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	store := logicaltest.NewStorage()
	g, ctx := lockout.New(store), t.Context()
	limits := lockout.Limits{Threshold: 2, Duration: time.Hour, Reset: time.Minute}
	fail := func(g *lockout.Guard, name string, at time.Time) {
		t.Helper()
		if err := g.Failed(ctx, "auth_1", name, limits, at); err != nil {
			t.Fatal(err)
		}
	}
	locked := func(g *lockout.Guard, name string, at time.Time, want bool) {
		t.Helper()
		got, err := g.Locked(ctx, "auth_1", name, at)
		if err != nil || got != want {
			t.Errorf("Locked(%q) = %v, %v, want %v", name, got, err, want)
		}
	}
	fail(g, "ann", now)
	fail(g, "ann", now.Add(2*time.Minute)) // too late to count together
	locked(g, "ann", now.Add(2*time.Minute), false)
	fail(g, "ann", now.Add(2*time.Minute+time.Second))
	at := now.Add(3 * time.Minute)
	locked(g, "ann", at, true)
	locked(g, "bob", at, false)
	locked(lockout.New(store), "ann", at, true) // another node, or after a restart
	locked(g, "ann", at.Add(2*time.Hour), false)

	fail(g, "a/../\x00 strange name", at)
	fail(g, "a/../\x00 strange name", at)
	locks, err := g.Locks(ctx, "", at)
	if err != nil || len(locks) != 2 {
		t.Errorf("%d locks, %v", len(locks), err)
	}
	if locks, err = g.Locks(ctx, "auth_2", at); err != nil || len(locks) != 0 {
		t.Errorf("%d locks of another method, %v", len(locks), err)
	}
	if err := g.Sweep(ctx, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if names, err := store.List(ctx, "lockout/auth_1/", "", 0); err != nil || len(names) != 0 {
		t.Errorf("%d locks are left after sweeping, %v", len(names), err)
	}
}
