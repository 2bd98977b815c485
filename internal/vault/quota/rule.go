// Package quota limits how many requests a client may send: OpenBao's rate limit quotas. The rules are in the store, for all
// nodes; what is counted is in memory, on each node by itself.
package quota

import (
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Rule is one rate limit.
type Rule struct {
	Name string `json:"name"`
	// Path is a mount, with or without what follows it; empty means everything.
	Path string `json:"path"`
	// Role limits the rule to logins of one role of the auth method at Path.
	Role     string        `json:"role,omitempty"`
	Rate     float64       `json:"rate"` // requests of one client in one Interval
	Interval time.Duration `json:"interval"`
	// Block is how long a client that went over is refused altogether.
	Block time.Duration `json:"block,omitempty"`
}

// tokens is how many requests an interval has: at least one, or nobody could ever ask.
func (r Rule) tokens() int { return max(1, int(math.Round(r.Rate))) }

// Config is what holds for all rules.
type Config struct {
	Exempt  []string `json:"exempt"`  // paths, with * at the end for all below
	Headers bool     `json:"headers"` // answers tell how much is left
	Audit   bool     `json:"audit"`   // refused requests are audited too
}

// Book is all rules and the configuration: one entry of the store, as there are few and each request asks for them.
type Book struct {
	Rules  []Rule `json:"rules"`
	Config Config `json:"config"`
}

// Entry is the name of the Book in the store.
const Entry = "quotas"

// DefaultExempt are the paths without which a locked-out operator could not help himself.
func DefaultExempt() []string {
	return []string{
		"sys/internal/ui/mounts", "sys/generate-root/attempt", "sys/generate-root/update", "sys/health", "sys/seal-status", "sys/unseal",
	}
}

// Named returns the index of a rule, -1 if there is none.
func (b *Book) Named(name string) int {
	for i := range b.Rules {
		if b.Rules[i].Name == name {
			return i
		}
	}
	return -1
}

// Check says what is wrong with a rule among the others.
func (b *Book) Check(r Rule) error {
	switch {
	case r.Rate <= 0 || math.IsInf(r.Rate, 0) || math.IsNaN(r.Rate):
		return logical.Invalid("'rate' is invalid: must be positive")
	case r.Interval < time.Second:
		return logical.Invalid("'interval' is invalid: must be at least a second")
	case r.Block < 0 || r.Block > 0 && r.Block < time.Second:
		return logical.Invalid("'block' is invalid: must be at least a second")
	}
	for _, o := range b.Rules {
		if o.Name != r.Name && o.Path == r.Path && o.Role == r.Role {
			return logical.Invalid("quota rule with similar properties exists under the name %q", o.Name)
		}
	}
	return nil
}

// Find returns the rule for a request, nil if there is none: of all that match, the one with a role, then the longest path.
func (b *Book) Find(path, role string) *Rule {
	var best *Rule
	for i := range b.Rules {
		r := &b.Rules[i]
		if r.Role != "" && r.Role != role || !covers(r.Path, path) {
			continue
		}
		if best == nil || best.Role == "" && r.Role != "" || (best.Role == "") == (r.Role == "") && len(r.Path) > len(best.Path) {
			best = r
		}
	}
	return best
}

// covers reports whether a rule's path is all or the beginning of a request's, at a slash.
func covers(rule, path string) bool {
	prefix, glob := strings.CutSuffix(rule, "*")
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (glob || rest == "" || prefix == "" || strings.HasSuffix(prefix, "/") || rest[0] == '/')
}

// Exempt reports whether a path is never limited.
func (b *Book) Exempt(path string) bool {
	for _, e := range b.Config.Exempt {
		if prefix, glob := strings.CutSuffix(e, "*"); path == e || glob && strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// ErrExceeded is what a client gets that asks too often.
func ErrExceeded(path string) *logical.Error {
	return logical.Fail(http.StatusTooManyRequests, "request path %q: rate limit quota exceeded", path)
}
