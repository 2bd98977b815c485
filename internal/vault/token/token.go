// Package token keeps the tokens of the Vault-compatible core: making, finding, renewing and revoking them, with all that
// descends from them.
//
// A token is stored under its SHA-256 alone. Batch tokens are not stored at all: they are what they say, sealed.
//
//	token/id/<hash>              the Entry
//	token/accessor/<accessor>    the hash
//	token/child/<parent>/<hash>  nothing: the tree
package token

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"net/netip"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/expiry"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// ErrInvalid is returned for a token that is not there, has ended, or was used up. Which of them is not told.
var ErrInvalid = errors.New("the token is not valid")

// Types of tokens, as clients see them.
const (
	Service = "service"
	Batch   = "batch"
)

// Entry is a token, without the token itself.
type Entry struct {
	Accessor       string            `json:"accessor,omitempty"`
	Type           string            `json:"type"`
	Parent         string            `json:"parent,omitempty"` // a hash; "" for an orphan
	Policies       []string          `json:"policies"`
	Path           string            `json:"path"`
	Meta           map[string]string `json:"meta,omitempty"`
	DisplayName    string            `json:"display_name"`
	EntityID       string            `json:"entity_id,omitempty"`
	Role           string            `json:"role,omitempty"`
	Limited        bool              `json:"limited,omitempty"`  // NumUses counts
	NumUses        int               `json:"num_uses,omitempty"` // left
	Created        time.Time         `json:"created"`
	Issued         time.Time         `json:"issued"`            // of the last renewal
	Expires        time.Time         `json:"expires,omitzero"`  // never if zero
	TTL            time.Duration     `json:"ttl"`               // as created
	MaxTTL         time.Duration     `json:"max_ttl,omitempty"` // of the mount or role, counted from Created
	ExplicitMaxTTL time.Duration     `json:"explicit_max_ttl,omitempty"`
	Period         time.Duration     `json:"period,omitempty"`
	Renewable      bool              `json:"renewable,omitempty"`
	BoundCIDRs     []netip.Prefix    `json:"bound_cidrs,omitempty"`
	Mount          string            `json:"mount,omitempty"` // of the auth method that is asked before a renewal
	InternalData   map[string]any    `json:"internal,omitempty"`

	Hash string `json:"hash,omitempty"` // what it is stored under
}

// Orphan reports that no other token's end ends this one.
func (e *Entry) Orphan() bool { return e.Parent == "" }

// Root reports whether the token has the root policy.
func (e *Entry) Root() bool {
	for _, p := range e.Policies {
		if p == "root" {
			return true
		}
	}
	return false
}

func (e *Entry) end() expiry.Item {
	return expiry.Item{At: e.Expires, Kind: expiry.Token, ID: e.Hash}
}

// Hash returns the name that a token is stored under.
func Hash(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// Prefix starts every token that is made here; scanners know it.
const Prefix = "zvr_"

// New makes a token: Prefix, 256 random bits, and a checksum by which a scanner tells a token from what only looks like one.
func New() (string, error) {
	raw := make([]byte, 32, 36)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	sum := crc32.ChecksumIEEE(raw)
	raw = append(raw, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
	return Prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)), nil
}

// NewAccessor makes an accessor.
func NewAccessor() (string, error) {
	raw := make([]byte, 15)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)), nil
}

// Store keeps tokens. It is safe for concurrent use.
type Store struct {
	storage logical.Storage // the whole of the vault's store
	batch   *batchSealer
}

// NewStore returns the tokens of a vault. key seals batch tokens and is 32 bytes.
func NewStore(s logical.Storage, key []byte) (*Store, error) {
	b, err := newBatchSealer(key)
	if err != nil {
		return nil, err
	}
	return &Store{storage: s, batch: b}, nil
}

const (
	idFolder       = "token/id/"
	accessorFolder = "token/accessor/"
	childFolder    = "token/child/"
)

// Create stores a new token within a transaction, so that what else belongs to it is stored with it. id is the token; e.Hash
// is set.
func (s *Store) Create(ctx context.Context, tx storage.Tx, id string, e *Entry) error {
	e.Hash = Hash(id)
	if _, err := tx.Get(ctx, idFolder+e.Hash); err == nil {
		return logical.Invalid("cannot create a token with a duplicate ID")
	} else if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if e.Parent != "" {
		if _, err := tx.Get(ctx, idFolder+e.Parent); errors.Is(err, storage.ErrNotFound) {
			return logical.ErrPermissionDenied // the parent was revoked meanwhile
		} else if err != nil {
			return err
		}
		if err := tx.Put(ctx, childFolder+e.Parent+"/"+e.Hash, nil); err != nil {
			return err
		}
	}
	if err := logical.Put(ctx, tx, idFolder+e.Hash, e); err != nil {
		return err
	}
	if err := tx.Put(ctx, accessorFolder+e.Accessor, []byte(e.Hash)); err != nil {
		return err
	}
	return expiry.Add(ctx, tx, e.end())
}

// SealBatch makes a batch token of e.
func (s *Store) SealBatch(e *Entry) (string, error) { return s.batch.seal(e) }

// Lookup returns the entry of a token, which is shared: nobody may change it.
func (s *Store) Lookup(ctx context.Context, id string, now time.Time) (*Entry, error) {
	if strings.HasPrefix(id, batchPrefix) {
		return s.lookupBatch(ctx, id, now)
	}
	return s.ByHash(ctx, Hash(id), now)
}

func (s *Store) lookupBatch(ctx context.Context, id string, now time.Time) (*Entry, error) {
	e, err := s.batch.open(id)
	if err != nil || ended(e, now) {
		return nil, ErrInvalid
	}
	if e.Parent != "" { // ends with its parent
		if _, err := s.ByHash(ctx, e.Parent, now); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func ended(e *Entry, now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

// Spent reports that a token has no use left; it is there until it is revoked.
func (e *Entry) Spent() bool { return e.Limited && e.NumUses <= 0 }

// ByHash returns the entry stored under a hash: shared.
func (s *Store) ByHash(ctx context.Context, hash string, now time.Time) (*Entry, error) {
	e, err := logical.Decode(ctx, s.storage, idFolder+hash, decodeEntry)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, ErrInvalid
	}
	if err != nil {
		return nil, err
	}
	if ended(e, now) {
		return nil, ErrInvalid
	}
	return e, nil
}

// ByAccessor returns the entry that an accessor stands for.
func (s *Store) ByAccessor(ctx context.Context, accessor string, now time.Time) (*Entry, error) {
	if accessor == "" || strings.ContainsRune(accessor, '/') {
		return nil, ErrInvalid
	}
	raw, err := s.storage.Get(ctx, accessorFolder+accessor)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrInvalidKey) || errors.Is(err, storage.ErrTooLarge) {
		return nil, ErrInvalid
	}
	if err != nil {
		return nil, err
	}
	return s.ByHash(ctx, string(raw), now)
}

// Accessors lists the accessors of all tokens.
func (s *Store) Accessors(ctx context.Context, after string, limit int) ([]string, error) {
	return s.storage.List(ctx, accessorFolder, after, limit)
}
