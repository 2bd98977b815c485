package transit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func rotateRoute() *logical.Route {
	return &logical.Route{
		Pattern:     "keys/:name/rotate",
		Fields:      []logical.Field{nameField},
		Ops:         map[logical.Operation]logical.Handler{logical.Update: rotateKey},
		Synopsis:    "Rotate a key",
		Description: "Adds a new version, which is used from then on. Older ones still decrypt and verify.",
	}
}

var errNoKey = logical.Invalid("key not found")

func rotateKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	k, err := rotate(ctx, r, func(*key) bool { return true })
	return describe(k, nil, err)
}

// rotate adds a version to the named key if wanted still holds within the transaction.
func rotate(ctx context.Context, r *logical.Request, wanted func(*key) bool) (*key, error) {
	k, err := named(ctx, r)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, errNoKey
	}
	if err := k.rotatable(); err != nil {
		return nil, err
	}
	v, err := k.generate(r.Time)
	if err != nil {
		return nil, err
	}
	was := k.Type
	return change(ctx, r, errNoKey, func(k *key) (bool, error) {
		if !wanted(k) {
			return false, nil
		}
		if err := k.rotatable(); err != nil {
			return false, err
		}
		if k.Type != was {
			return false, fmt.Errorf("rotating key %q: it was replaced meanwhile", k.Name)
		}
		k.Imported = false
		k.add(v)
		return true, nil
	})
}

// rotateDue rotates the keys whose time has come. One that fails does not keep the others from it.
func rotateDue(ctx context.Context, r *logical.Request) error {
	entries, err := r.Storage.Scan(ctx, rotationPrefix, "", 0)
	if err != nil {
		return err
	}
	var failed []error
	for _, entry := range entries {
		var when due
		if err := json.Unmarshal(entry.Value, &when); err != nil {
			failed = append(failed, fmt.Errorf("reading when a transit key is due: %w", errors.Join(storage.ErrCorrupt, err)))
			continue
		}
		if !r.Time.After(when.Time) {
			continue
		}
		one := *r
		one.Params = logical.Params{{Name: "name", Value: strings.TrimPrefix(entry.Key, rotationPrefix)}}
		if err := rotateOne(ctx, &one); err != nil {
			failed = append(failed, fmt.Errorf("rotating a transit key that is due: %w", err))
		}
	}
	return errors.Join(failed...)
}

// rotateOne rotates a key that may no longer be due, or be there, or be in use.
func rotateOne(ctx context.Context, r *logical.Request) error {
	k, err := named(ctx, r)
	if err != nil || k == nil || k.SoftDeleted || !k.dueAt(r.Time) {
		return err
	}
	_, err = rotate(ctx, r, func(k *key) bool { return !k.SoftDeleted && k.dueAt(r.Time) })
	if errors.Is(err, errNoKey) {
		return nil
	}
	return err
}

func (k *key) dueAt(now time.Time) bool {
	latest := k.Versions[k.LatestVersion]
	return k.AutoRotatePeriod > 0 && latest != nil && now.After(latest.Time.Add(k.AutoRotatePeriod))
}

func trimRoute() *logical.Route {
	return &logical.Route{
		Pattern: "keys/:name/trim",
		Fields: []logical.Field{
			nameField,
			{Name: "min_available_version", Type: logical.Int, Help: "The oldest version to keep: no newer than the oldest to decrypt and to encrypt with, both of which must be set."},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: trimKey},
		Synopsis: "Delete old versions of a key for good",
	}
}

func trimKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	k, err := change(ctx, r, logical.Invalid("invalid key name"), func(k *key) (bool, error) {
		if !r.Data.Has("min_available_version") {
			return false, logical.Invalid("missing min_available_version")
		}
		oldest := r.Data.Int("min_available_version")
		switch {
		case oldest < k.MinAvailableVersion:
			return false, logical.Invalid("minimum available version cannot be decremented")
		case k.MinEncryptionVersion == 0:
			return false, logical.Invalid("minimum available version cannot be set when minimum encryption version is not set")
		case oldest > k.MinEncryptionVersion:
			return false, logical.Invalid("minimum available version cannot be greater than minmum encryption version")
		case oldest > k.MinDecryptionVersion:
			return false, logical.Invalid("minimum available version cannot be greater than minimum decryption version")
		case oldest == 0:
			return false, logical.Invalid("minimum available version should be positive")
		}
		k.MinAvailableVersion = oldest
		return true, nil
	})
	return describe(k, nil, err)
}
