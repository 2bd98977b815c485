package grant

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Rules returns the rules of a project that have not ended, by secret.
func (s *Store) Rules(ctx context.Context, project string) (map[string][]Rule, error) {
	all := map[string][]Rule{}
	prefix := rulePrefix + url.PathEscape(project) + "/"
	entries, err := s.store.Scan(ctx, prefix, "", 0)
	if err != nil {
		return nil, fmt.Errorf("reading the rules of %s: %w", project, err)
	}
	for _, e := range entries {
		name, err := url.PathUnescape(strings.TrimPrefix(e.Key, prefix))
		if err != nil {
			return nil, fmt.Errorf("reading the rules of %s: %w", project, ErrDamaged)
		}
		rules, err := decode[[]Rule](e.Value)
		if err != nil {
			return nil, fmt.Errorf("reading the rules of %s: %w", name, err)
		}
		if rules = s.living(rules); len(rules) > 0 {
			all[name] = rules
		}
	}
	return all, nil
}

func (s *Store) living(rules []Rule) []Rule {
	now := s.now()
	return slices.DeleteFunc(rules, func(r Rule) bool { return !r.live(now) })
}

// loadRules reads the rules of one secret; none are no error.
func loadRules(ctx context.Context, r storage.Reader, project, secret string) ([]Rule, error) {
	rules, err := load[[]Rule](ctx, r, ruleKey(project, secret))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the rules of %s: %w", secret, err)
	}
	return rules, nil
}

// addRule adds a rule, in place of one with the same ID. A rule that wants each use approved ends what answers gave for longer.
func (s *Store) addRule(ctx context.Context, tx storage.Tx, project, secret string, r Rule) error {
	rules, err := loadRules(ctx, tx, project, secret)
	if err != nil {
		return err
	}
	rules = slices.DeleteFunc(s.living(rules), func(old Rule) bool {
		return old.ID() == r.ID() || r.Approve && !old.written()
	})
	if len(rules) >= MaxRules {
		return fmt.Errorf("%s has %d rules, and may not have more", secret, len(rules))
	}
	if r.Approve {
		if err := s.dropConversations(ctx, tx, project, secret); err != nil {
			return err
		}
	}
	return save(ctx, tx, ruleKey(project, secret), append(rules, r))
}

// removeRule removes the rule with an ID.
func (s *Store) removeRule(ctx context.Context, project, secret, id string) error {
	return s.store.Update(ctx, func(tx storage.Tx) error {
		rules, err := loadRules(ctx, tx, project, secret)
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool { return r.ID() == id })
		if len(left) == len(rules) {
			return fmt.Errorf("removing rule %q of %s: %w", id, secret, ErrNoRule)
		}
		return saveRules(ctx, tx, ruleKey(project, secret), left)
	})
}

func saveRules(ctx context.Context, tx storage.Tx, key string, rules []Rule) error {
	if len(rules) == 0 {
		return tx.Delete(ctx, key)
	}
	return save(ctx, tx, key, rules)
}

// dropConversations ends what answers gave for conversations about one secret.
func (s *Store) dropConversations(ctx context.Context, tx storage.Tx, project, secret string) error {
	sessions, err := loadSessions(ctx, tx)
	if err != nil {
		return err
	}
	for _, x := range sessions {
		if _, ok := x.Granted[place(project, secret)]; !ok {
			continue
		}
		delete(x.Granted, place(project, secret))
		if err := save(ctx, tx, sessionPrefix+x.Asker.Session, x); err != nil {
			return err
		}
	}
	return nil
}

// place names a secret among those of all projects.
func place(project, secret string) string { return project + "/" + secret }
