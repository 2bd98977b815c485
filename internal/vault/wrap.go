package vault

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

// WrapInfo is the member "wrap_info": a token that gives the answer once.
type WrapInfo struct {
	Token           string    `json:"token"`
	Accessor        string    `json:"accessor"`
	TTL             int64     `json:"ttl"` // seconds
	CreationTime    time.Time `json:"creation_time"`
	CreationPath    string    `json:"creation_path"`
	WrappedAccessor string    `json:"wrapped_accessor,omitempty"`
}

// Wrapped answers are kept beside the tokens that give them.
const wrapFolder = "wrap/"

// ResponseWrappingPolicy is the policy that wrapping tokens have: it lets them do nothing but unwrap.
const ResponseWrappingPolicy = "response-wrapping"

// wrapped is a kept answer.
type wrapped struct {
	Body    json.RawMessage `json:"body"`
	Path    string          `json:"path"`
	Created time.Time       `json:"created"`
	TTL     int64           `json:"ttl"`
}

// errWrapToken is what an unknown, used or ended wrapping token gets.
var errWrapToken = logical.Invalid("wrapping token is not valid or does not exist")

// maybeWrap puts an answer behind a wrapping token if that was asked for.
func (c *Core) maybeWrap(ctx context.Context, x *Exchange, resp *logical.Response) (*logical.Response, error) {
	ttl := x.Call.WrapTTL
	if resp.WrapTTL > 0 && (ttl == 0 || resp.WrapTTL < ttl) {
		ttl = resp.WrapTTL
	}
	if ttl <= 0 || resp.NoWrap || resp.Raw != nil {
		return resp, nil
	}
	if empty(resp) || isList(x.Operation) && resp.Data == nil && resp.Rendered == nil && resp.Keys == nil {
		return resp, nil
	}
	inner := *resp
	inner.TopLevel = false
	body, err := appendBody(nil, x.Call.ID, mountType(x.Mount), &inner, nil)
	if err != nil {
		return nil, err
	}
	accessor := ""
	if resp.Auth != nil {
		accessor = resp.Auth.Accessor
	}
	x.Wrap, err = c.Wrap(ctx, body, x.Call.Path, ttl, x.Call.Time)
	if err != nil {
		return nil, err
	}
	x.Wrap.WrappedAccessor = accessor
	return &logical.Response{Warnings: resp.Warnings, Header: resp.Header}, nil
}

// Wrap keeps a body behind a new token, which gives it once, within ttl.
func (c *Core) Wrap(ctx context.Context, body []byte, path string, ttl time.Duration, now time.Time) (*WrapInfo, error) {
	e := &token.Entry{
		Type: token.Service, Policies: []string{ResponseWrappingPolicy}, Path: path, TTL: ttl, ExplicitMaxTTL: ttl, DisplayName: "wrapping",
	}
	info := &WrapInfo{TTL: int64(ttl / time.Second), CreationTime: now.UTC(), CreationPath: path}
	err := c.root.Update(ctx, func(tx storage.Tx) (err error) {
		if info.Token, err = c.NewToken(ctx, tx, e, now); err != nil {
			return err
		}
		return logical.Put(ctx, tx, wrapFolder+e.Hash, wrapped{Body: body, Path: path, Created: now.UTC(), TTL: info.TTL})
	})
	info.Accessor = e.Accessor
	return info, err
}

// WrapLookup tells of a wrapped answer without giving it.
func (c *Core) WrapLookup(ctx context.Context, id string, now time.Time) (*WrapInfo, error) {
	e, w, err := c.findWrapped(ctx, c.root, id, now)
	if err != nil {
		return nil, err
	}
	return &WrapInfo{Accessor: e.Accessor, TTL: w.TTL, CreationTime: w.Created, CreationPath: w.Path}, nil
}

func (c *Core) findWrapped(ctx context.Context, r storage.Reader, id string, now time.Time) (*token.Entry, *wrapped, error) {
	e, err := c.opened.tokens.Lookup(ctx, id, now)
	if errors.Is(err, token.ErrInvalid) {
		return nil, nil, errWrapToken
	}
	if err != nil {
		return nil, nil, err
	}
	w, err := logical.Get[wrapped](ctx, r, wrapFolder+e.Hash)
	if err != nil {
		return nil, nil, err
	}
	if w == nil {
		return nil, nil, errWrapToken
	}
	return e, w, nil
}

// Unwrap gives a wrapped answer and ends its token. Of many who try at once one gets it.
func (c *Core) Unwrap(ctx context.Context, id string, now time.Time) (body []byte, path string, ttl time.Duration, err error) {
	e, _, err := c.findWrapped(ctx, c.root, id, now)
	if err != nil {
		return nil, "", 0, err
	}
	err = c.root.Update(ctx, func(tx storage.Tx) error {
		w, err := logical.Get[wrapped](ctx, tx, wrapFolder+e.Hash)
		if err != nil {
			return err
		}
		if w == nil {
			return errWrapToken
		}
		body, path, ttl = w.Body, w.Path, time.Duration(w.TTL)*time.Second
		if err := tx.Delete(ctx, wrapFolder+e.Hash); err != nil {
			return err
		}
		return c.opened.tokens.RevokeIn(ctx, tx, e.Hash, c.endOfToken(ctx, now))
	})
	return body, path, ttl, err
}
