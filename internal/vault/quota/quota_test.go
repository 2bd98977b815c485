package quota_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/quota"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestBook_Find(t *testing.T) {
	t.Parallel()
	b := &quota.Book{Rules: []quota.Rule{
		{Name: "all"}, {Name: "kv", Path: "secret/"}, {Name: "deep", Path: "secret/data/app"}, {Name: "below", Path: "secret/data/web/*"},
		{Name: "approle", Path: "auth/approle/"}, {Name: "one role", Path: "auth/approle/", Role: "ci"},
	}}
	for _, c := range []struct{ path, role, want string }{
		{"sys/mounts", "", "all"}, {"secret/data/x", "", "kv"}, {"secret/data/app", "", "deep"}, {"secret/data/app/db", "", "deep"},
		{"secret/data/apple", "", "kv"}, {"secret/data/web/a", "", "below"}, {"auth/approle/login", "", "approle"},
		{"auth/approle/login", "ci", "one role"}, {"auth/approle/login", "other", "approle"}, {"secret/x", "ci", "kv"},
	} {
		if got := b.Find(c.path, c.role); got == nil || got.Name != c.want {
			t.Errorf("Find(%q, %q) = %v, want %s", c.path, c.role, got, c.want)
		}
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	l := quota.NewLimiter()
	r := quota.Rule{Name: "r", Rate: 2, Interval: time.Minute, Block: time.Hour}
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.2")
	for i, c := range []struct {
		client  netip.Addr
		after   time.Duration
		allowed bool
		left    int
	}{
		{one, 0, true, 1}, {one, time.Second, true, 0}, {other, time.Second, true, 1}, {one, 2 * time.Second, false, 0},
		{one, 2 * time.Minute, false, 0}, // the interval is over, the block is not
		{one, time.Hour + 3*time.Second, true, 1}, {other, time.Hour, true, 1},
	} {
		v := l.Take(r, c.client, start.Add(c.after))
		if v.Allowed != c.allowed || v.Remaining != c.left || v.Limit != 2 {
			t.Errorf("%d: %+v, want allowed %v with %d left", i, v, c.allowed, c.left)
		}
	}
	v := l.Take(r, one, start.Add(-time.Hour)) // the clock was set back
	if !v.Allowed {
		t.Error("a clock that was set back locks a client out")
	}
	r.Rate = 1
	if v = l.Take(r, other, start.Add(time.Hour)); !v.Allowed || v.Remaining != 0 {
		t.Errorf("a changed rule: %+v, want counting to start over", v)
	}
	if v = l.Take(r, other, start.Add(time.Hour)); v.Allowed || v.Headers()["Retry-After"] != "3600" {
		t.Errorf("over the limit: %+v with %v", v, v.Headers())
	}
}

func TestLimiter_ManyClients(t *testing.T) {
	t.Parallel()
	l := quota.NewLimiter()
	r := quota.Rule{Name: "r", Rate: 1, Interval: time.Hour}
	for i := range 250_000 {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if !l.Take(r, a, start).Allowed {
			t.Fatal("a client that asks for the first time is refused")
		}
	}
	if n := l.Clients("r"); n > 100_000 {
		t.Errorf("%d clients are remembered", n)
	}
}
