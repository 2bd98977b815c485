package sys

import (
	"context"
	"errors"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/snapshot"
)

func (s *System) snapshotRoutes() []*logical.Route {
	return []*logical.Route{{
		Pattern: "storage/raft/snapshot", AnyField: true, Synopsis: "Saves or restores all that is stored, sealed as it is.",
		Ops: ops{logical.Read: s.saveSnapshot, logical.Update: s.restoreSnapshot(false)},
	}, {
		Pattern: "storage/raft/snapshot-force", AnyField: true, Synopsis: "Restores a snapshot of another vault.",
		Ops: ops{logical.Update: s.restoreSnapshot(true)},
	}}
}

func (s *System) saveSnapshot(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	f, err := s.core.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return &logical.Response{
		Stream: f, ContentType: "application/gzip", NoWrap: true,
		Header: map[string]string{"Content-Disposition": `attachment; filename="zvault.snap"`},
	}, nil
}

func (s *System) restoreSnapshot(force bool) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		if r.Body == nil {
			return nil, logical.Invalid("the body must be a snapshot")
		}
		err := s.core.Restore(ctx, r.Body, force)
		switch {
		case errors.Is(err, snapshot.ErrForeign):
			return nil, logical.Invalid("%s; restoring it replaces this one with all its keys: use snapshot-force if that is meant", err)
		case errors.Is(err, snapshot.ErrInvalid):
			return nil, logical.Invalid("%s", err)
		}
		return nil, err
	}
}
