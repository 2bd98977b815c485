package grant

import (
	"context"
	"fmt"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// decide holds a use against what is stored: the rules of its secrets, and what was granted for the session. Where a rule
// with a Max permits it, the use is counted in the same transaction.
func (s *Store) decide(ctx context.Context, a Asker, u Use) (d settled, err error) {
	limited := false
	err = s.store.View(ctx, func(r storage.Reader) error {
		var x Session
		if d, x, err = s.look(ctx, r, a, u); err != nil {
			return err
		}
		limited = count(&x, u, d)
		return nil
	})
	if err != nil || !limited {
		return d, err
	}
	err = s.store.Update(ctx, func(tx storage.Tx) error {
		var x Session
		if d, x, err = s.look(ctx, tx, a, u); err != nil || !count(&x, u, d) {
			return err
		}
		return save(ctx, tx, sessionPrefix+a.Session, x)
	})
	return d, err
}

// look decides and changes nothing.
func (s *Store) look(ctx context.Context, rd storage.Reader, a Asker, u Use) (settled, Session, error) {
	x, err := s.running(ctx, rd, a.Session)
	if err != nil {
		return settled{}, x, err
	}
	if x.Asker.Client != a.Client {
		return settled{}, x, fmt.Errorf("deciding for %s: %w", Visible(a.Client), ErrNoSession)
	}
	rules := map[string][]Rule{}
	for _, name := range u.names() {
		stored, err := loadRules(ctx, rd, u.Project, name)
		if err != nil {
			return settled{}, x, err
		}
		mine := slices.DeleteFunc(stored, func(r Rule) bool { return r.Client != "" && r.Client != a.Client })
		rules[name] = append(mine, x.Granted[place(u.Project, name)]...)
	}
	return settle(u, rules, s.now(), func(name string, r Rule) int { return x.Used[counter(u.Project, name, r)] }), x, nil
}

func counter(project, secret string, r Rule) string { return place(project, secret) + "/" + r.ID() }

// count adds an allowed use to the counts of the session, and reports whether any of its rules is counted.
func count(x *Session, u Use, d settled) bool {
	any := false
	if d.Outcome != Allowed {
		return false
	}
	for name, r := range d.used {
		if r.Max == 0 {
			continue
		}
		if x.Used == nil {
			x.Used = map[string]int{}
		}
		x.Used[counter(u.Project, name, r)]++
		any = true
	}
	return any
}
