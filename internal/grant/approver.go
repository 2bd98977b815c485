package grant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Approver changes what assistants may do, in the name of a person. Each method records the act before it happens, and does
// nothing if that fails. All fields are required.
type Approver struct {
	Store  *Store
	Record Recorder
	Actor  audit.Actor // the person
	Client audit.Client
}

// entry begins an audit entry of what the person did.
func (p Approver) entry(action string, outcome audit.Outcome) audit.Entry {
	return audit.Entry{Actor: p.Actor, Client: p.Client, Action: action, Outcome: outcome}
}

// Answer answers a request as the person has seen it: if it is another by now, nothing happens. ErrNoRequest, ErrAnswered,
// ErrNoSession; ErrOnlyOnce if the answer is none of r.Answers().
func (p Approver) Answer(ctx context.Context, r Request, answer Answer) error {
	if !slices.Contains(r.Answers(), answer) {
		return fmt.Errorf("answering %q to request %s: %w", string(answer), r.ID, ErrOnlyOnce)
	}
	if _, err := p.Store.answerable(ctx, p.Store.store, r); err != nil { // so that the log does not tell of what cannot be
		return err
	}
	outcome := audit.OK
	if answer == Deny {
		outcome = audit.Denied
	}
	e := about(p.entry(ActApprove, outcome), r.Use, fmt.Sprintf("%s, request %s of %s", answer, r.ID, r.Asker))
	e.Request = r.Asker.Session
	if err := record(ctx, p.Record, e); err != nil {
		return err
	}
	return p.Store.answer(ctx, r, answer, p.Actor.Name)
}

// answerable reads a request that can be answered and is the one that was shown.
func (s *Store) answerable(ctx context.Context, rd storage.Reader, shown Request) (Request, error) {
	r, err := s.request(ctx, rd, shown.ID)
	switch {
	case err != nil:
		return r, err
	case r.Answer != "":
		return r, ErrAnswered
	case r.Digest != shown.Digest || r.Nonce != shown.Nonce:
		return r, ErrNoRequest
	}
	_, err = s.running(ctx, rd, r.Asker.Session)
	return r, err
}

func (s *Store) answer(ctx context.Context, shown Request, answer Answer, by string) error {
	return s.store.Update(ctx, func(tx storage.Tx) error {
		r, err := s.answerable(ctx, tx, shown)
		if err != nil {
			return err
		}
		r.Answer, r.By, r.Answered = answer, by, s.now()
		if answer != Deny {
			r.Expires = r.Answered.Add(SpendLife)
		}
		if answer == Conversation || answer == Always {
			if err := s.grant(ctx, tx, r); err != nil {
				return err
			}
			r.Spent = true // from now on the rules say it, and end it
		}
		return save(ctx, tx, requestPrefix+r.ID, r)
	})
}

// grant stores the rules that an answer for more than once makes.
func (s *Store) grant(ctx context.Context, tx storage.Tx, r Request) error {
	x, err := s.running(ctx, tx, r.Asker.Session)
	if err != nil {
		return err
	}
	for _, name := range r.Open {
		rule, err := r.Use.Like(name)
		if err != nil {
			return err
		}
		rule.Since, rule.By, rule.Request, rule.Client, rule.Session = r.Answered, r.By, r.ID, r.Asker.Client, r.Asker.Session
		if r.Answer == Always {
			if err := s.addRule(ctx, tx, r.Use.Project, name, rule); err != nil {
				return err
			}
			continue
		}
		rule.Expires = r.Answered.Add(ConversationLife)
		if x.Granted == nil {
			x.Granted = map[string][]Rule{}
		}
		at := place(r.Use.Project, name)
		if len(x.Granted[at]) >= MaxRules {
			return fmt.Errorf("%s has %d rules in this conversation, and may not have more", name, len(x.Granted[at]))
		}
		x.Granted[at] = append(x.Granted[at], rule)
	}
	return save(ctx, tx, sessionPrefix+x.Asker.Session, x)
}

// Allow adds a rule to a secret, in place of one with the same ID. A rule that wants each use approved ends what answers
// permitted for longer.
func (p Approver) Allow(ctx context.Context, project, secret string, r Rule) error {
	r.Since, r.By, r.Request, r.Client, r.Session = p.Store.now(), p.Actor.Name, "", "", ""
	e := p.entry(ActRule, audit.OK)
	e.Project, e.Keys, e.Reason = project, []string{secret}, "rule "+r.ID()+": "+r.String()
	if err := record(ctx, p.Record, e); err != nil {
		return err
	}
	return p.Store.store.Update(ctx, func(tx storage.Tx) error { return p.Store.addRule(ctx, tx, project, secret, r) })
}

// Remove removes the rule of a secret with an ID: ErrNoRule if there is none.
func (p Approver) Remove(ctx context.Context, project, secret, id string) error {
	e := p.entry(ActRemove, audit.OK)
	e.Project, e.Keys, e.Reason = project, []string{secret}, "rule "+Visible(id)
	if err := record(ctx, p.Record, e); err != nil {
		return err
	}
	return p.Store.removeRule(ctx, project, secret, id)
}

// Ended counts what Revoke has ended.
type Ended struct {
	Sessions int `json:"sessions"`
	Rules    int `json:"rules"`
}

// Revoke ends sessions and drops every grant that an answer made for them, for this conversation and for always: those of
// one session, those of one client, or with who empty, all. Rules that a person wrote stay.
func (p Approver) Revoke(ctx context.Context, who string) (Ended, error) {
	e := p.entry(ActRevoke, audit.OK)
	e.Reason = "everything"
	if who != "" {
		e.Reason = "of " + Visible(who)
	}
	if err := record(ctx, p.Record, e); err != nil {
		return Ended{}, err
	}
	var n Ended
	err := p.Store.store.Update(ctx, func(tx storage.Tx) (err error) {
		n, err = p.Store.revoke(ctx, tx, who)
		return err
	})
	return n, err
}

func (s *Store) revoke(ctx context.Context, tx storage.Tx, who string) (n Ended, err error) {
	sessions, err := loadSessions(ctx, tx)
	if err != nil {
		return n, err
	}
	for _, x := range sessions {
		if who != "" && who != x.Asker.Session && who != x.Asker.Client || !x.Running(s.now()) {
			continue
		}
		n.Sessions++
		for _, rules := range x.Granted {
			n.Rules += len(rules)
		}
		if err := s.end(ctx, tx, x, true); err != nil {
			return n, err
		}
	}
	entries, err := tx.Scan(ctx, rulePrefix, "", 0)
	if err != nil {
		return n, fmt.Errorf("reading the rules: %w", err)
	}
	for _, e := range entries {
		rules, err := decode[[]Rule](e.Value)
		if err != nil {
			return n, fmt.Errorf("reading the rules of %s: %w", strings.TrimPrefix(e.Key, rulePrefix), err)
		}
		left := slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool {
			return !r.written() && (who == "" || who == r.Session || who == r.Client)
		})
		if len(left) == len(rules) {
			continue
		}
		n.Rules += len(rules) - len(left)
		if err := saveRules(ctx, tx, e.Key, left); err != nil {
			return n, err
		}
	}
	return n, nil
}
