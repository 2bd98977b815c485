package sys

import (
	"cmp"
	"context"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/vault/lockout"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (s *System) lockedRoutes() []*logical.Route {
	return []*logical.Route{
		{Pattern: "locked-users", Synopsis: "Lists those who are locked after too many wrong passwords.", Fields: []logical.Field{
			{Name: "mount_accessor", Type: logical.String, Help: "Only of this auth method."},
		}, Ops: ops{logical.Read: s.lockedUsers}},
		{Pattern: "locked-users/:mount_accessor/unlock/*alias_identifier", Sudo: true, Synopsis: "Lets somebody try again.",
			Ops: ops{logical.Update: s.unlockUser}},
	}
}

func (s *System) lockedUsers(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	locks, err := s.core.Lockout().Locks(ctx, r.Data.String("mount_accessor"), r.Time)
	if err != nil {
		return nil, err
	}
	if len(locks) == 0 {
		return &logical.Response{Data: map[string]any{"by_namespace": []any{}, "total": 0}}, nil
	}
	return &logical.Response{Data: map[string]any{
		"by_namespace": []map[string]any{{
			"namespace_id": "root", "namespace_path": "", "counts": len(locks), "mount_accessors": byAccessor(locks),
		}},
		"total": len(locks),
	}}, nil
}

// byAccessor groups locks, the auth method with the most first.
func byAccessor(locks []lockout.Lock) []map[string]any {
	names := map[string][]string{}
	for _, l := range locks {
		names[l.Accessor] = append(names[l.Accessor], l.Name)
	}
	groups := make([]map[string]any, 0, len(names))
	accessors := make([]string, 0, len(names))
	for a := range names {
		accessors = append(accessors, a)
	}
	slices.SortFunc(accessors, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(names[b]), len(names[a])), cmp.Compare(a, b))
	})
	for _, a := range accessors {
		slices.Sort(names[a])
		groups = append(groups, map[string]any{"mount_accessor": a, "counts": len(names[a]), "alias_identifiers": names[a]})
	}
	return groups
}

func (s *System) unlockUser(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, s.core.Lockout().Unlock(ctx, r.Params.Get("mount_accessor"), r.Params.Get("alias_identifier"))
}
