package transit

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit/internal/kwp"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func byokRoute() *logical.Route {
	return &logical.Route{
		Pattern: "byok-export/:destination/:source/*version",
		Fields: []logical.Field{
			{Name: "destination", Type: logical.String, Help: "The RSA key to wrap with: usually another mount's wrapping key, imported here."},
			{Name: "source", Type: logical.String, Help: "The key to export."},
			{Name: "version", Type: logical.String, Help: "A version or latest; all if left out."},
			{Name: "hash", Type: logical.String, Default: "SHA256", Help: "The hash of OAEP."},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Read: byokExport},
		Synopsis: "Export a key for import elsewhere",
	}
}

func byokExport(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	to, err := load(ctx, r.Storage, r.Params.Get("destination"))
	if err != nil {
		return nil, err
	}
	if to == nil {
		return nil, fault("no such destination key to export to")
	}
	if to.SoftDeleted {
		return nil, fault("for destination key: %s", errSoftDeleted)
	}
	from, err := load(ctx, r.Storage, r.Params.Get("source"))
	if err != nil {
		return nil, err
	}
	if from == nil {
		return nil, fault("no such source key for export")
	}
	if !from.Exportable {
		return nil, logical.Invalid("key is not exportable")
	}
	if from.SoftDeleted {
		return nil, fault("for source key: %s", errSoftDeleted)
	}
	h, err := oaepHash(r.Data.String("hash"))
	if err != nil {
		return nil, fault("%s", err)
	}
	return from.eachVersion(r.Params.Get("version"), func(v *version) (string, error) { return to.wrap(from.Type, v, h) })
}

// wrap encrypts a version of another key to the latest version of k, as import takes it.
func (k *key) wrap(of kind, v *version, h crypto.Hash) (string, error) {
	if !k.Type.signs() {
		return "", fault("message signing not supported for key type %v", k.Type)
	}
	if !k.Type.isRSA() {
		return "", fault("unsupported key type in use; must be a rsa key")
	}
	latest, err := k.version(k.LatestVersion)
	if err != nil {
		return "", err
	}
	public, err := latest.public()
	if err != nil {
		return "", err
	}
	wrapper, ok := public.(*rsa.PublicKey)
	if !ok {
		return "", errDamaged
	}
	raw := v.Key
	if of.signs() {
		private, err := v.private()
		if err != nil {
			return "", fault("failed to wrap target key for import: %s", err)
		}
		if raw, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
			return "", fault("failed to wrap target key for import: %s", err)
		}
	}
	ephemeral := make([]byte, 32)
	fill(ephemeral)
	defer clear(ephemeral)
	head, err := rsa.EncryptOAEP(h.New(), rand.Reader, wrapper, ephemeral, nil)
	if err != nil {
		return "", fault("failed to wrap target key for import: %s", err)
	}
	tail, err := kwp.Wrap(ephemeral, raw)
	if err != nil {
		return "", fault("failed to wrap target key for import: %s", err)
	}
	return base64.StdEncoding.EncodeToString(append(head, tail...)), nil
}
