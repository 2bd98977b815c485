package transit

import (
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // a hash that OAEP may use
	"encoding/base64"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit/internal/kwp"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// materialFields are how key material comes in.
func materialFields() []logical.Field {
	return []logical.Field{
		nameField,
		{Name: "ciphertext", Type: logical.String, Help: "In base64: an AES-256 key encrypted to the wrapping key (RSA-OAEP, 512 bytes), then " +
			"the key wrapped with it (AES-KWP): raw for symmetric keys, PKCS #8 for others."},
		{Name: "hash_function", Type: logical.String, Default: "SHA256", Help: "The hash of OAEP: SHA1, SHA224, SHA256, SHA384 or SHA512."},
		{Name: "public_key", Type: logical.String, Help: "Instead of ciphertext: a public key in PEM, to encrypt and verify only."},
	}
}

func importRoute() *logical.Route {
	return &logical.Route{
		Pattern: "keys/:name/import",
		Fields: append(materialFields(),
			logical.Field{Name: "type", Type: logical.String, Default: "aes256-gcm96", Help: "The type of the key."},
			logical.Field{Name: "allow_rotation", Type: logical.Bool, Help: "Whether the key may be rotated here."},
			logical.Field{Name: "derived", Type: logical.Bool, Help: "Whether each request uses a key derived from a context."},
			logical.Field{Name: "exportable", Type: logical.Bool, Help: "Whether the key may leave the engine."},
			logical.Field{Name: "allow_plaintext_backup", Type: logical.Bool, Help: "Whether the key may be backed up."},
			logical.Field{Name: "auto_rotate_period", Type: logical.Seconds, Help: "How old the latest version may get before the key is rotated."}),
		Ops:      map[logical.Operation]logical.Handler{logical.Update: importKey},
		Synopsis: "Bring a key of your own",
	}
}

func importVersionRoute() *logical.Route {
	return &logical.Route{
		Pattern: "keys/:name/import_version",
		Fields: append(materialFields(),
			logical.Field{Name: "version", Type: logical.Int, Help: "The version whose private key this is, instead of a new one."}),
		Ops:      map[logical.Operation]logical.Handler{logical.Update: importVersion},
		Synopsis: "Bring a new version of an imported key",
	}
}

// material is what came in.
type material struct {
	private bool
	raw     []byte // of private keys
	public  string // PEM
}

func importKey(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	d := r.Data
	k := &key{
		Name: r.Params.Get("name"), Derived: d.Bool("derived"), Exportable: d.Bool("exportable"),
		AllowPlaintextBackup: d.Bool("allow_plaintext_backup"), AllowRotation: d.Bool("allow_rotation"), Imported: true,
	}
	if _, ok := d.Raw["convergent_encryption"]; ok {
		return nil, fault("import cannot be used on keys with convergent encryption enabled")
	}
	var err error
	if k.AutoRotatePeriod, err = period(d); err != nil {
		return nil, err
	}
	if k.AutoRotatePeriod > 0 && !k.AllowRotation {
		return nil, fault("allow_rotation must be set to true if auto-rotation is enabled")
	}
	var ok bool
	if k.Type, ok = kindNamed(strings.ToLower(d.String("type"))); !ok {
		return nil, logical.Invalid("unknown key type: %v", d.String("type"))
	}
	taken := fault("the import path cannot be used with an existing key; use import-version to rotate an existing imported key")
	if found, err := named(ctx, r); err != nil || found != nil {
		if err == nil {
			err = taken
		}
		return nil, err
	}
	m, err := bring(ctx, r, k.Type)
	if err != nil {
		return nil, err
	}
	if err := k.creatable(); err != nil {
		return nil, err
	}
	v, err := k.importedVersion(r, m)
	if err != nil {
		return nil, fault("error importing key: %s", itemText(err))
	}
	k.add(v)
	return nil, r.Storage.Update(ctx, func(tx storage.Tx) error {
		if found, err := get(ctx, tx, k.Name); err != nil || found != nil {
			if err == nil {
				err = taken
			}
			return err
		}
		return save(ctx, tx, k)
	})
}

// importedVersion makes a version of what came in.
func (k *key) importedVersion(r *logical.Request, m *material) (*version, error) {
	v := newVersion(r.Time)
	if !k.Type.signs() {
		if err := v.setSymmetric(k.Type, m.raw); err != nil {
			return nil, err
		}
		if k.Type == hmacKey {
			k.KeySize = len(m.raw)
		}
		v.prepare(k.Type)
		return v, nil
	}
	if k.Type == ed25519Key && k.Derived && !m.private {
		return nil, fault("unable to import only public key for derived Ed25519 key: imported key should not be an Ed25519 key pair " +
			"but is instead an HKDF key")
	}
	var imported any
	var err error
	if m.private {
		imported, err = parsePrivate(m.raw)
	} else {
		imported, err = parsePublic(m.public)
	}
	if err == nil {
		err = v.setAsymmetric(k.Type, imported)
	}
	if err != nil {
		return nil, err
	}
	v.prepare(k.Type)
	return v, nil
}

// bring reads the key material of a request for a key of this type.
func bring(ctx context.Context, r *logical.Request, k kind) (*material, error) {
	if _, ok := r.Data.Raw["ciphertext"]; !ok {
		if !k.signs() {
			return nil, fault("provided type does not support public_key import")
		}
		return &material{public: r.Data.String("public_key")}, nil
	}
	h, err := oaepHash(r.Data.String("hash_function"))
	if err != nil {
		return nil, err
	}
	ciphertext, err := base64.StdEncoding.DecodeString(r.Data.String("ciphertext"))
	if err != nil {
		return nil, fault("%s", err)
	}
	raw, err := unwrap(ctx, r, ciphertext, h)
	return &material{private: true, raw: raw}, err
}

func oaepHash(name string) (crypto.Hash, error) {
	switch strings.ToUpper(name) {
	case "SHA1":
		return crypto.SHA1, nil
	case "SHA224":
		return crypto.SHA224, nil
	case "SHA256":
		return crypto.SHA256, nil
	case "SHA384":
		return crypto.SHA384, nil
	case "SHA512":
		return crypto.SHA512, nil
	}
	return 0, logical.Invalid("unknown hash function: %s", name)
}

// unwrap opens what was encrypted to the wrapping key: OAEP(AES key) | KWP(key).
func unwrap(ctx context.Context, r *logical.Request, ciphertext []byte, h crypto.Hash) ([]byte, error) {
	size := rsa4096.size()
	if len(ciphertext) <= size {
		return nil, fault("provided ciphertext is too short")
	}
	v, err := wrappingKey(ctx, r)
	if err != nil {
		return nil, err
	}
	private, err := v.private()
	if err != nil {
		return nil, err
	}
	opener, ok := private.(*rsa.PrivateKey)
	if !ok {
		return nil, errDamaged
	}
	ephemeral, err := rsa.DecryptOAEP(h.New(), nil, opener, ciphertext[:size], nil)
	if err != nil {
		return nil, fault("%s", err)
	}
	defer clear(ephemeral)
	if len(ephemeral) != 32 {
		return nil, fault("expected ephemeral AES key to be 256-bit")
	}
	raw, err := kwp.Unwrap(ephemeral, ciphertext[size:])
	if err != nil {
		return nil, fault("%s", err)
	}
	return raw, nil
}

func importVersion(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	missing := fault("no key found with name %s; to import a new key, use the import/ endpoint", r.Params.Get("name"))
	k, err := named(ctx, r)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, missing
	}
	if err := k.importable(); err != nil {
		return nil, err
	}
	m, err := bring(ctx, r, k.Type)
	if err != nil {
		return nil, err
	}
	was := k.Type
	_, err = change(ctx, r, missing, func(k *key) (bool, error) {
		if err := k.importable(); err != nil {
			return false, err
		}
		if k.Type != was {
			return false, missing
		}
		if r.Data.Has("version") {
			return true, k.complete(r.Data.Int("version"), m)
		}
		if latest := k.Versions[k.LatestVersion]; m.private && k.Type.signs() && latest.lacksPrivate() {
			if k.complete(k.LatestVersion, m) == nil {
				return true, nil
			}
		}
		v, err := k.importedVersion(r, m)
		if err == nil {
			k.add(v)
		}
		return true, err
	})
	return nil, err
}

// importable says why a key takes no imported versions.
func (k *key) importable() error {
	switch {
	case !k.Imported:
		return fault("the import_version endpoint can only be used with an imported key")
	case k.Convergent:
		return fault("import_version cannot be used on keys with convergent encryption enabled")
	case k.SoftDeleted:
		return fault("%s", errSoftDeleted.Error())
	}
	return nil
}

// complete adds the private key to a version that has only the public one.
func (k *key) complete(number int, m *material) error {
	v, err := k.version(number)
	switch {
	case err != nil:
		return fault("%s", err)
	case !k.Type.signs():
		return fault("provided type does not support importing key versions")
	case !v.lacksPrivate():
		return fault("private key imported, key version cannot be updated")
	case !m.private:
		return fault("cannot add a public key to a key version that already has a public key set")
	}
	private, err := parsePrivate(m.raw)
	if err != nil {
		return err
	}
	if !v.matches(k.Type, private) {
		return fault("cannot import key, key pair does not match")
	}
	if err := v.setAsymmetric(k.Type, private); err != nil {
		return err
	}
	v.prepare(k.Type)
	return nil
}
