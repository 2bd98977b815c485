package cubbyhole

import (
	"context"
	"fmt"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/tree"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// batch is how many secrets Purge deletes in one transaction.
const batch = 256

// Purge deletes everything of one token; s is the engine's storage. The token must not be valid any more, or it could go on
// writing. A purge that fails is called again: it deletes what is left.
func Purge(ctx context.Context, s logical.Storage, tokenHash string) error {
	folder, err := folder(&logical.Token{Hash: tokenHash})
	if err != nil {
		return fmt.Errorf("purging a cubbyhole: %w", err)
	}
	var names []string
	err = s.View(ctx, func(r storage.Reader) error {
		names, err = tree.Walk(ctx, r, folder)
		return err
	})
	if err != nil {
		return fmt.Errorf("listing a cubbyhole: %w", err)
	}
	for i, name := range names {
		names[i] = folder + name
	}
	for some := range slices.Chunk(names, batch) {
		if err := logical.Remove(ctx, s, some...); err != nil {
			return fmt.Errorf("purging a cubbyhole: %w", err)
		}
	}
	return nil
}
