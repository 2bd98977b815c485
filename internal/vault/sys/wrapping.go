package sys

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (s *System) wrappingRoutes() []*logical.Route {
	fields := []logical.Field{{Name: "token", Type: logical.String, Help: "The wrapping token; the caller's own if missing."}}
	return []*logical.Route{
		{Pattern: "wrapping/wrap", Synopsis: "Wraps what it is given.", Ops: ops{logical.Update: s.wrap}},
		{Pattern: "wrapping/lookup", Fields: fields, Open: true, Synopsis: "Tells of a wrapped answer.",
			Ops: ops{logical.Update: s.wrapLookup, logical.Read: s.wrapLookup}},
		{Pattern: "wrapping/unwrap", Fields: fields, Open: true, Synopsis: "Gives a wrapped answer, once.", Ops: ops{logical.Update: s.unwrap}},
		{Pattern: "wrapping/rewrap", Fields: fields, Open: true, Synopsis: "Puts a wrapped answer behind a new token.", Ops: ops{logical.Update: s.rewrap}},
		{Pattern: "wrapping/pubkey", Open: true, Synopsis: "Wrapping tokens are not JWTs here.", Ops: ops{}},
	}
}

func (s *System) wrap(_ context.Context, r *logical.Request) (*logical.Response, error) {
	if r.Header("X-Vault-Wrap-TTL") == "" {
		return nil, logical.Invalid("endpoint requires response wrapping to be used")
	}
	data := r.Data.Raw
	if data == nil {
		data = map[string]any{}
	}
	return &logical.Response{Data: data}, nil
}

// wrapToken is the wrapping token of a request: given, or the caller's own.
func wrapToken(r *logical.Request) (string, error) {
	if t := r.Data.String("token"); t != "" {
		return t, nil
	}
	if r.Presented != "" {
		return r.Presented, nil
	}
	return "", logical.Invalid("missing \"token\" value in input")
}

func (s *System) wrapLookup(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	id, err := wrapToken(r)
	if err != nil {
		return nil, err
	}
	info, err := s.core.WrapLookup(ctx, id, r.Time)
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{
		"creation_path": info.CreationPath, "creation_time": info.CreationTime.Format(time.RFC3339Nano), "creation_ttl": info.TTL,
	}, NoWrap: true}, nil
}

func (s *System) unwrap(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	id, err := wrapToken(r)
	if err != nil {
		return nil, err
	}
	body, _, _, err := s.core.Unwrap(ctx, id, r.Time)
	if err != nil {
		return nil, err
	}
	return &logical.Response{Raw: body, ContentType: "application/json"}, nil
}

func (s *System) rewrap(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	id, err := wrapToken(r)
	if err != nil {
		return nil, err
	}
	body, path, ttl, err := s.core.Unwrap(ctx, id, r.Time)
	if err != nil {
		return nil, err
	}
	info, err := s.core.Wrap(ctx, body, path, ttl, r.Time)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(map[string]any{
		"request_id": r.ID, "lease_id": "", "renewable": false, "lease_duration": 0, "data": nil, "wrap_info": info, "warnings": nil, "auth": nil,
	})
	return &logical.Response{Raw: raw, ContentType: "application/json"}, err
}
