package platform

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

// Caller is who asks. The zero Caller may do nothing.
type Caller struct {
	Actor  audit.Actor
	Client audit.Client
	// Owner marks the person a local vault belongs to: everything is permitted.
	Owner bool
}

// may reports whether the caller is permitted an action.
func (c Caller) may(_ action) bool { return c.Owner && c.Actor.ID != "" }

// action is what the audit log calls an act.
type action string

const (
	actReveal            action = "secret.reveal"
	actList              action = "secret.list"
	actHistory           action = "secret.history"
	actSearch            action = "secret.search"
	actRefs              action = "secret.refs"
	actExplain           action = "secret.explain"
	actChange            action = "secret.change"
	actRollback          action = "secret.rollback"
	actFingerprints      action = "secret.fingerprints"
	actProjectCreate     action = "project.create"
	actProjectList       action = "project.list"
	actProjectRename     action = "project.rename"
	actProjectDelete     action = "project.delete"
	actProjectRestore    action = "project.restore"
	actProjectRotate     action = "project.rotate"
	actOrgRotate         action = "organisation.rotate"
	actSchemaRead        action = "schema.read"
	actSchemaSet         action = "schema.set"
	actEnvironmentList   action = "environment.list"
	actEnvironmentCreate action = "environment.create"
	actEnvironmentDelete action = "environment.delete"
	actEnvironmentBase   action = "environment.base"
	actEnvironmentClone  action = "environment.clone"
	actEnvironmentDiff   action = "environment.diff"
	actEnvironmentLog    action = "environment.log"
	actPromote           action = "environment.promote"
	actRestore           action = "environment.restore"
	actCheck             action = "environment.check"
)

// target is what an act is about, for the log.
type target struct {
	project, env string
	names        []string
	revision     int64
}

// permit is the first gate: a refusal is written down and returned as Denied.
func (s *Service) permit(ctx context.Context, c Caller, a action, t target) error {
	if c.may(a) {
		return nil
	}
	if err := s.record(ctx, c, a, t, audit.Denied); err != nil {
		return err
	}
	return newError(Denied, "%s is not permitted", a)
}

// record is the second gate: what it returns nil for is durable in the log. The caller of record must give nothing out
// and change nothing when it fails.
func (s *Service) record(ctx context.Context, c Caller, a action, t target, outcome audit.Outcome) error {
	err := s.audit.Record(ctx, audit.Entry{
		Time: s.clock(), Actor: c.Actor, Client: c.Client, Action: string(a), Org: s.org.Slug, Project: t.project, Environment: t.env,
		Keys: t.names, Revision: uint64(max(t.revision, 0)), Outcome: outcome,
	})
	if err != nil {
		return &Error{Kind: Unavailable, Message: "refusing, because the audit log cannot be written", Err: err}
	}
	return nil
}
