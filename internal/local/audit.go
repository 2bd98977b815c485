package local

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// auditKeys are what the audit log needs of the vault: a key for digests, one that signs, and a place for its head. The keys
// are derived, so rotation and rekeying leave them as they are and old entries can still be checked.
type auditKeys struct {
	barrier *barrier.Barrier
	mac     *crypt.Key
	signer  *crypt.SigningKey
}

func newAuditKeys(b *barrier.Barrier) (*auditKeys, error) {
	mac, err := b.DeriveKey("audit")
	if err != nil {
		return nil, fmt.Errorf("deriving the audit keys: %w", err)
	}
	signer, err := mac.SigningKey("checkpoint")
	if err != nil {
		return nil, fmt.Errorf("deriving the audit keys: %w", err)
	}
	return &auditKeys{barrier: b, mac: mac, signer: signer}, nil
}

func (k *auditKeys) options() audit.Options {
	return audit.Options{Key: k.mac, Signer: k.signer, Anchor: anchor{k.barrier}}
}

func (k *auditKeys) destroy() {
	k.mac.Destroy()
	k.signer.Destroy()
}

// anchor keeps the head of the audit log behind the barrier: 8 bytes of sequence number, 32 of hash.
type anchor struct{ store storage.Backend }

const anchorKey = "sys/audit/head"

// Load implements audit.Anchor.
func (a anchor) Load(ctx context.Context) (audit.Head, error) { return loadHead(ctx, a.store) }

func loadHead(ctx context.Context, r storage.Reader) (audit.Head, error) {
	var h audit.Head
	raw, err := r.Get(ctx, anchorKey)
	if errors.Is(err, storage.ErrNotFound) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	if len(raw) != 8+len(h.Hash) {
		return h, fmt.Errorf("reading the audit log's head: %w", ErrDamaged)
	}
	h.Seq = binary.BigEndian.Uint64(raw)
	copy(h.Hash[:], raw[8:])
	return h, nil
}

// Store implements audit.Anchor.
func (a anchor) Store(ctx context.Context, h audit.Head) error {
	return a.store.Update(ctx, func(tx storage.Tx) error {
		now, err := loadHead(ctx, tx)
		if err != nil || now.Seq >= h.Seq {
			return err
		}
		return tx.Put(ctx, anchorKey, append(binary.BigEndian.AppendUint64(nil, h.Seq), h.Hash[:]...))
	})
}

// RecordExport writes down that the audit log is being exported.
func (v *Vault) RecordExport(ctx context.Context) error { return v.record(ctx, "audit.export", "") }

// final records every entry as if it were the last.
type final struct{ log *audit.Log }

// Record implements platform.Recorder.
func (f final) Record(ctx context.Context, e audit.Entry) error { return f.log.RecordFinal(ctx, e) }
