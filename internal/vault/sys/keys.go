package sys

import (
	"context"
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (s *System) keyRoutes() []*logical.Route {
	return []*logical.Route{
		{Pattern: "seal", Sudo: true, Synopsis: "Seals the vault.", Ops: ops{logical.Update: func(context.Context, *logical.Request) (*logical.Response, error) {
			s.core.SealNext()
			return nil, nil
		}}},
		{Pattern: "step-down", Sudo: true, Synopsis: "Asks the node to let others lead: none leads here.", Ops: ops{
			logical.Update: func(context.Context, *logical.Request) (*logical.Response, error) { return nil, nil }}},
		{Pattern: "rotate", Sudo: true, Synopsis: "Makes a new key for what is stored from now on.", Ops: ops{logical.Update: s.rotate}},
		{Pattern: "rotate/keyring", Sudo: true, Synopsis: "Makes a new key for what is stored from now on.", Ops: ops{logical.Update: s.rotate}},
		{Pattern: "key-status", Synopsis: "Shows the key that seals what is stored.", Ops: ops{logical.Read: s.keyStatus}},
	}
}

func (s *System) rotate(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	_, err := s.core.Barrier().Rotate(ctx)
	return nil, err
}

func (s *System) keyStatus(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	ring, err := s.core.Barrier().Keyring(ctx)
	if err != nil {
		return nil, err
	}
	for _, g := range ring {
		if g.Active {
			return all(map[string]any{"term": g.ID, "install_time": g.Created.UTC().Format(time.RFC3339Nano), "encryptions": g.Uses}), nil
		}
	}
	return nil, fmt.Errorf("reading the keyring: it has no active key")
}
