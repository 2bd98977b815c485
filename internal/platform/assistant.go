package platform

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/resolve"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

const (
	// actUse is a value given to a tool that acts with it, for somebody who does not see it.
	actUse action = "secret.use"
	// actTool is a call of a tool.
	actTool action = "tool.call"
)

// Use is Reveal of named secrets for a tool of ours, which acts with the values and shows them to nobody. The audit log has the
// name of the tool. What cannot be resolved is an *Error of kind NotFound; then nothing is given.
func (s *Service) Use(ctx context.Context, c Caller, e Env, names []string, tool string) (map[string]secret.Value, error) {
	if err := s.permit(ctx, c, actUse, e.target(names...)); err != nil {
		return nil, err
	}
	var all []resolve.Resolved
	err := s.store.View(ctx, func(tx *sqlstore.Tx) (err error) {
		src := &source{s: s, tx: tx, c: c, personal: true, root: e}
		all, err = resolve.Names(ctx, src, resolve.Scope{Project: e.Project, Env: e.Slug}, names)
		return err
	})
	if err != nil {
		return nil, failure("reading "+e.Project+"/"+e.Slug, err)
	}
	if err := s.recordTool(ctx, c, actUse, e.target(revealed(e, all)...), tool, audit.OK); err != nil {
		return nil, err
	}
	values := make(map[string]secret.Value, len(all))
	for _, r := range all {
		values[r.Name] = r.Value
	}
	return values, nil
}

// RecordCall writes down that a tool is called, about which secrets if it is about some. What it returns nil for is durable.
func (s *Service) RecordCall(ctx context.Context, c Caller, e Env, tool string, names []string, outcome audit.Outcome) error {
	return s.recordTool(ctx, c, actTool, e.target(names...), tool, outcome)
}

func (s *Service) recordTool(ctx context.Context, c Caller, a action, t target, tool string, outcome audit.Outcome) error {
	err := s.audit.Record(ctx, audit.Entry{
		Time: s.clock(), Actor: c.Actor, Client: c.Client, Action: string(a), Org: s.org.Slug, Project: t.project, Environment: t.env,
		Keys: t.names, Outcome: outcome, Reason: "tool " + tool,
	})
	if err != nil {
		return &Error{Kind: Unavailable, Message: "refusing, because the audit log cannot be written", Err: err}
	}
	return nil
}
