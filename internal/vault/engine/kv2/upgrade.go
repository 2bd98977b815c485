package kv2

import (
	"context"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/unversioned"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// upgradeBatch is how many secrets are moved in one transaction.
const upgradeBatch = 200

// upgrade makes version 1 of each secret of a mount that was of version 1, some at a time. It may run on several nodes at once
// and be taken up again after it was broken off.
func upgrade(ctx context.Context, s logical.Storage, now time.Time) (more bool, err error) {
	err = s.Update(ctx, func(tx storage.Tx) error {
		entries, err := unversioned.Leave(ctx, tx, upgradeBatch)
		if err != nil {
			return err
		}
		more = len(entries) > 0
		for _, e := range entries {
			m := &metadata{}
			m.add(version{Created: now}, &config{})
			if err := logical.Put(ctx, tx, metaName(e.Key), m); err != nil {
				return err
			}
			if err := logical.Put(ctx, tx, entryName(e.Key, m.Current), &entry{Created: now, Data: e.Value}); err != nil {
				return err
			}
		}
		return nil
	})
	return more, err
}
