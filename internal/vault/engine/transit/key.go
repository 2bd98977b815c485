package transit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// key is a named key with its versions. Its JSON is what is stored and, with the archived versions, what a backup holds; the
// names are OpenBao's and Vault's, whose backups can be restored.
//
// A key that came from load is shared by all requests and must not be changed; change hands out one that may be.
type key struct {
	Name                 string           `json:"name"`
	KeySize              int              `json:"key_size,omitempty"` // bytes, of HMAC keys only
	Versions             map[int]*version `json:"keys"`               // those from MinDecryptionVersion to LatestVersion
	Derived              bool             `json:"derived"`
	KDF                  int              `json:"kdf"`
	Convergent           bool             `json:"convergent_encryption"`
	Exportable           bool             `json:"exportable"`
	MinDecryptionVersion int              `json:"min_decryption_version"` // 1 at least
	MinEncryptionVersion int              `json:"min_encryption_version"` // 0: the latest unless asked for another
	LatestVersion        int              `json:"latest_version"`
	ArchiveVersion       int              `json:"archive_version"`     // only in backups
	ArchiveMinVersion    int              `json:"archive_min_version"` // only in backups
	MinAvailableVersion  int              `json:"min_available_version"`
	DeletionAllowed      bool             `json:"deletion_allowed"`
	ConvergentVersion    int              `json:"convergent_version"` // -1: each version has its own
	Type                 kind             `json:"type"`
	Backup               *moment          `json:"backup_info"`
	Restore              *moment          `json:"restore_info"`
	AllowPlaintextBackup bool             `json:"allow_plaintext_backup"`
	VersionTemplate      string           `json:"version_template"` // always empty: "vault:v{{version}}:"
	StoragePrefix        string           `json:"storage_prefix"`   // always empty
	AutoRotatePeriod     time.Duration    `json:"auto_rotate_period"`
	Imported             bool             `json:"Imported"`
	AllowRotation        bool             `json:"AllowImportedKeyRotation"` // of an imported key
	SoftDeleted          bool             `json:"soft_deleted"`
}

// moment says when a key was last backed up or restored, and what its latest version was.
type moment struct {
	Time    time.Time `json:"time"`
	Version int       `json:"version"`
}

// Values of key.KDF.
const (
	kdfCounter = 0 // HMAC-SHA256 in counter mode, of keys that are very old
	kdfHKDF    = 1 // HKDF-SHA256
)

// convergentVersion is the way in which nonces of convergent encryption are made: from the plaintext, with a key that is
// derived along with the cipher's.
const convergentVersion = 3

// Where things are in the storage of a mount.
const (
	policyPrefix   = "policy/"   // keys by name
	archivePrefix  = "archive/"  // versions too old for decryption, by name and number
	rotationPrefix = "rotation/" // when keys are due for rotation, by name
	cacheEntry     = "config/cache"
	configEntry    = "config/keys"
	wrappingName   = "import/wrapping-key"
)

var errSoftDeleted = logical.Invalid("refusing to use soft-deleted key")

// fault is a refusal that clients of Vault know as 500 although it is they who asked for something impossible.
func fault(format string, args ...any) *logical.Error { return logical.Fail(500, format, args...) }

// load returns the named key, shared, or nil if there is none.
func load(ctx context.Context, s logical.Storage, name string) (*key, error) {
	v, err := s.Decoded(ctx, policyPrefix+name, decodeKey)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k, ok := v.(*key)
	if !ok {
		return nil, fmt.Errorf("reading a transit key: it was decoded as %T", v)
	}
	return k, nil
}

func decodeKey(raw []byte) (any, error) {
	k := new(key)
	if err := json.Unmarshal(raw, k); err != nil {
		return nil, fmt.Errorf("reading a transit key: %w", errors.Join(storage.ErrCorrupt, err))
	}
	k.prepare()
	return k, nil
}

// prepare gets versions ready for use.
func (k *key) prepare() {
	for _, v := range k.Versions {
		v.prepare(k.Type)
	}
}

// get reads a key that the caller may change; nil if there is none.
func get(ctx context.Context, r storage.Reader, name string) (*key, error) {
	k, err := logical.Get[key](ctx, r, policyPrefix+name)
	if k != nil {
		k.prepare()
	}
	return k, err
}

// named loads the key that the path names; nil if there is none.
func named(ctx context.Context, r *logical.Request) (*key, error) {
	return load(ctx, r.Storage, r.Params.Get("name"))
}

// version returns a version that may be used for decryption.
func (k *key) version(number int) (*version, error) {
	v := k.Versions[number]
	if v == nil {
		return nil, logical.Invalid("no such key version")
	}
	return v, nil
}

// forNew returns the version to encrypt or sign with: number, or the latest if that is 0. purpose is for the message.
func (k *key) forNew(number int, purpose string) (*version, int, error) {
	switch {
	case number == 0:
		number = k.LatestVersion
	case number < 0:
		return nil, 0, logical.Invalid("requested version for %s is negative", purpose)
	case number > k.LatestVersion:
		return nil, 0, logical.Invalid("requested version for %s is higher than the latest key version", purpose)
	case number < k.MinEncryptionVersion:
		return nil, 0, logical.Invalid("requested version for %s is less than the minimum encryption key version", purpose)
	}
	v, err := k.version(number)
	return v, number, err
}
