package server

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// chain writes exchanges into the hash-chained log, one entry each: a read when its answer is about to leave, a write before it
// is done, so that nothing is changed that the log does not know; and a second one for a write that failed or gave a token.
type chain struct{ log *audit.Log }

var _ vault.Auditor = chain{}

// Request implements vault.Auditor.
func (c chain) Request(ctx context.Context, x *vault.Exchange) error {
	admitted := x.Err == nil // what was refused is recorded with the answer
	if !admitted || !x.Operation.Writes() {
		return nil
	}
	return c.log.Record(ctx, entryOf(x, audit.OK))
}

// Response implements vault.Auditor.
func (c chain) Response(ctx context.Context, x *vault.Exchange) error {
	if x.Err == nil && x.Operation.Writes() && (x.Response == nil || x.Response.Auth == nil) {
		return nil
	}
	outcome := audit.OK
	switch {
	case logical.Is(x.Err, logical.ErrPermissionDenied):
		outcome = audit.Denied
	case x.Err != nil && !logical.Is(x.Err, logical.ErrNotFound):
		outcome = audit.Failed
	}
	return c.log.Record(ctx, entryOf(x, outcome))
}

func entryOf(x *vault.Exchange, outcome audit.Outcome) audit.Entry {
	e := audit.Entry{
		Time: x.Call.Time, Action: "vault." + string(x.Operation), Outcome: outcome, Request: x.Call.ID, Keys: []string{x.Call.Path},
		Client: audit.Client{Kind: audit.Server, Name: x.Call.Remote.Addr().String()},
	}
	if x.Token != nil {
		e.Actor = audit.Actor{Kind: audit.Service, ID: x.Token.Accessor, Name: x.Token.DisplayName}
	}
	if x.Response != nil && x.Response.Auth != nil {
		e.Reason = "gave the token with accessor " + x.Response.Auth.Accessor
	}
	if x.Err != nil {
		e.Reason = x.Err.Error()
		var known *logical.Error
		if !errors.As(x.Err, &known) {
			e.Reason = "internal error"
		}
	}
	return e
}

// anchor keeps the head of the log in the store.
type anchor struct{ core *vault.Core }

const anchorName = "sys/audit/head"

// Load implements audit.Anchor.
func (a anchor) Load(ctx context.Context) (audit.Head, error) {
	if a.core.Sealed() {
		return audit.Head{}, nil
	}
	return readHead(ctx, a.core.Storage())
}

func readHead(ctx context.Context, r storage.Reader) (audit.Head, error) {
	var h audit.Head
	raw, err := r.Get(ctx, anchorName)
	if errors.Is(err, storage.ErrNotFound) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	if len(raw) != 8+len(h.Hash) {
		return h, fmt.Errorf("reading the audit log's head: %w", storage.ErrCorrupt)
	}
	h.Seq = binary.BigEndian.Uint64(raw)
	copy(h.Hash[:], raw[8:])
	return h, nil
}

// Store implements audit.Anchor.
func (a anchor) Store(ctx context.Context, h audit.Head) error {
	return a.core.Storage().Update(ctx, func(tx storage.Tx) error {
		now, err := readHead(ctx, tx)
		if err != nil || now.Seq >= h.Seq {
			return err
		}
		return tx.Put(ctx, anchorName, append(binary.BigEndian.AppendUint64(nil, h.Seq), h.Hash[:]...))
	})
}
