package seal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// The record is stored in clear under recordKey, as JSON; what it protects is the wrapped key in it, which is bound to the
// type and the generation.
const (
	recordKey    = "core/seal"
	recordFormat = 1
)

// Record says how a vault is sealed.
type Record struct {
	Format     int       `json:"format"`
	Type       string    `json:"type"`
	Generation int       `json:"generation"`
	Created    time.Time `json:"created"`
	Blob
}

func (r *Record) aad() []byte { return crypt.AAD("seal", r.Type, strconv.Itoa(r.Generation)) }

// Load reads the record of a store, or returns ErrNoSeal.
func Load(ctx context.Context, store storage.Reader) (*Record, error) {
	data, err := store.Get(ctx, recordKey)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, ErrNoSeal
	}
	if err != nil {
		return nil, fmt.Errorf("reading the seal: %w", err)
	}
	return parseRecord(data)
}

func parseRecord(data []byte) (*Record, error) {
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, fmt.Errorf("reading the seal: %w", ErrDamaged)
	}
	if version.Format > recordFormat {
		return nil, fmt.Errorf("a seal of format %d: %w", version.Format, ErrNewer)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var r Record
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("reading the seal: %w", ErrDamaged)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || r.Format != recordFormat || r.Type == "" || r.Generation < 1 {
		return nil, fmt.Errorf("reading the seal: %w", ErrDamaged)
	}
	return &r, nil
}

// Store writes the record within a transaction.
func Store(ctx context.Context, tx storage.Tx, r *Record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding the seal: %w", err)
	}
	return tx.Put(ctx, recordKey, data)
}
