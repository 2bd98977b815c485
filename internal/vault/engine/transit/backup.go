package transit

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func backupRoute() *logical.Route {
	return &logical.Route{
		Pattern:     "backup/:name",
		Fields:      []logical.Field{nameField},
		Ops:         map[logical.Operation]logical.Handler{logical.Read: backupKey},
		Synopsis:    "Back a key up",
		Description: "The backup holds the key in plaintext; the key has to be exportable and to allow it.",
	}
}

func restoreRoute() *logical.Route {
	return &logical.Route{
		Pattern: "restore/*as",
		Fields: []logical.Field{
			{Name: "as", Type: logical.String, Help: "The name to restore to, instead of that in the backup."},
			{Name: "backup", Type: logical.String, Help: "What backup returned."},
			{Name: "force", Type: logical.Bool, Help: "Whether to replace a key of that name."},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: restoreKey},
		Synopsis: "Restore a key from a backup",
	}
}

// backup is the JSON in a backup, in base64. The archive holds all versions, the one of number n at n - archive_min_version;
// with 0 the first is empty, as versions are counted from 1.
type backup struct {
	Policy  *key     `json:"policy"`
	Archive *archive `json:"archived_keys"`
}

type archive struct {
	Keys []*version `json:"keys"`
}

func backupKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	var raw []byte
	err := r.Storage.Update(ctx, func(tx storage.Tx) error {
		k, err := get(ctx, tx, r.Params.Get("name"))
		if err != nil {
			return err
		}
		if k == nil {
			return fault("key %q not found", r.Params.Get("name"))
		}
		if err := k.backupable(); err != nil {
			return err
		}
		k.Backup = &moment{Time: r.Time.UTC(), Version: k.LatestVersion}
		if err := save(ctx, tx, k); err != nil {
			return err
		}
		old, err := archived(ctx, tx, k.Name)
		if err != nil {
			return err
		}
		raw, err = json.Marshal(k.backup(old))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"backup": base64.StdEncoding.EncodeToString(append(raw, '\n'))}}, nil
}

// backupable says why a key may not be backed up.
func (k *key) backupable() error {
	switch {
	case k.SoftDeleted:
		return fault("%s", errSoftDeleted.Error())
	case !k.Exportable:
		return fault("exporting is disallowed on the policy")
	case !k.AllowPlaintextBackup:
		return fault("plaintext backup is disallowed on the policy")
	}
	return nil
}

// backup puts a key and its archived versions into one object.
func (k *key) backup(old map[int]*version) *backup {
	k.ArchiveVersion, k.ArchiveMinVersion = k.LatestVersion, k.MinAvailableVersion
	all := &archive{}
	for number := k.MinAvailableVersion; number <= k.LatestVersion; number++ {
		v := k.Versions[number]
		if v == nil {
			v = old[number]
		}
		if v == nil {
			v = &version{}
		}
		all.Keys = append(all.Keys, v)
	}
	return &backup{k, all}
}

func restoreKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	text := r.Data.String("backup")
	if text == "" {
		return nil, logical.Invalid("'backup' must be supplied")
	}
	name := r.Params.Get("as")
	if strings.Contains(name, "/") {
		return nil, fault("key names cannot be paths")
	}
	b, err := parseBackup(text, r.Time)
	if err != nil {
		return nil, err
	}
	k := b.Policy
	if name != "" {
		k.Name = name
	}
	if !validName(k.Name) {
		return nil, fault("key names cannot be paths")
	}
	k.Restore = &moment{Time: r.Time.UTC(), Version: k.LatestVersion}
	versions := k.Versions
	return nil, r.Storage.Update(ctx, func(tx storage.Tx) error {
		found, err := get(ctx, tx, k.Name)
		if err != nil {
			return err
		}
		if found != nil && !r.Data.Bool("force") {
			return fault("key %q already exists", k.Name)
		}
		if err := erase(ctx, tx, k.Name); err != nil {
			return err
		}
		again := *k // fn may run again, and save moves versions to the archive
		again.Versions = make(map[int]*version, len(versions))
		for number, v := range versions {
			again.Versions[number] = v
		}
		return save(ctx, tx, &again)
	})
}

// parseBackup reads a backup and checks that the key in it is whole. Its versions are then all in Policy.Versions.
func parseBackup(text string, now time.Time) (*backup, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fault("%s", err)
	}
	b := new(backup)
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(b); err != nil || d.More() || b.Policy == nil || b.Policy.Versions == nil {
		return nil, fault("the backup is not one of a key")
	}
	k := b.Policy
	if b.Archive != nil {
		for i, v := range b.Archive.Keys {
			number := i + k.ArchiveMinVersion
			if v == nil || number < 1 || number < k.MinAvailableVersion || number > k.LatestVersion || k.Versions[number] != nil {
				continue
			}
			k.Versions[number] = v
		}
	}
	k.VersionTemplate, k.StoragePrefix = "", ""
	k.MinDecryptionVersion = max(k.MinDecryptionVersion, 1)
	if err := k.whole(); err != nil {
		return nil, err
	}
	latest := k.Versions[k.LatestVersion]
	if len(latest.HMACKey) == 0 { // of a time when keys made no HMACs
		latest.HMACKey = newVersion(now).HMACKey
	}
	if k.Type == hmacKey {
		latest.HMACKey = latest.Key
	}
	return b, nil
}

// whole checks a key that comes from a client.
func (k *key) whole() error {
	if k.Type < 0 || k.Type >= kinds {
		return fault("unsupported key type %d", int(k.Type))
	}
	if err := k.consistent(); err != nil {
		return err
	}
	k.prepare()
	for number := k.MinDecryptionVersion; number <= k.LatestVersion; number++ {
		if k.Versions[number] == nil {
			return fault("version %d is missing in the backup", number)
		}
	}
	for number, v := range k.Versions {
		if number < 1 || number > k.LatestVersion || v == nil {
			return fault("versions in the backup contradict each other")
		}
		if number >= k.MinAvailableVersion && v.usable(k.Type) != nil {
			return fault("version %d in the backup is damaged", number)
		}
	}
	return nil
}

// usable checks the keys of a version.
func (v *version) usable(k kind) error {
	var err error
	switch {
	case k.symmetric():
		_, err = v.aead()
	case k == hmacKey:
		if len(v.Key) < minHMACKey || len(v.Key) > maxHMACKey {
			err = errDamaged
		}
	default:
		if _, err = v.public(); err == nil && !v.lacksPrivate() {
			_, err = v.private()
		}
	}
	return err
}
