package transit

import (
	"context"
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func agreeRoute() *logical.Route {
	return &logical.Route{
		Pattern: "derive-key/:name",
		Fields: []logical.Field{
			nameField,
			{Name: "key_derivation_algorithm", Type: logical.String, Default: "ecdh", Help: `"ecdh".`},
			{Name: "peer_public_key", Type: logical.String, Help: "The other side's public key, in PEM."},
			{Name: "base_key_name", Type: logical.String, Help: "The ECDSA key whose private key is ours."},
			{Name: "base_key_version", Type: logical.Int, Help: "Its version; 0: the latest."},
			{Name: "derived_key_type", Type: logical.String, Default: "aes256-gcm96", Help: "The type of the new key, a symmetric one."},
		},
		Ops:         map[logical.Operation]logical.Handler{logical.Update: agree},
		Synopsis:    "Agree on a key with another side",
		Description: "Makes a new key of what Diffie-Hellman on an elliptic curve gives, through HKDF-SHA256. The other side gets the same.",
	}
}

func agree(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	if algorithm := r.Data.String("key_derivation_algorithm"); algorithm != "ecdh" {
		return nil, logical.Invalid("key derivation algorithm %s not supported", algorithm)
	}
	peer := r.Data.String("peer_public_key")
	if peer == "" {
		return nil, logical.Invalid("peer public key not provided")
	}
	k := &key{Name: r.Params.Get("name"), Imported: true}
	var ok bool
	if k.Type, ok = kindNamed(strings.ToLower(r.Data.String("derived_key_type"))); !ok || !k.Type.symmetric() {
		return nil, logical.Invalid("unknown key type %v", r.Data.String("derived_key_type"))
	}
	base, err := load(ctx, r.Storage, r.Data.String("base_key_name"))
	if err != nil {
		return nil, err
	}
	if base == nil || !validName(base.Name) {
		return nil, logical.Invalid("specified base key not found")
	}
	if !base.Type.isECDSA() {
		return nil, logical.Invalid("base key type %v does not support key agreement", base.Type)
	}
	secret, err := base.agreed(r.Data.Int("base_key_version"), peer, k.Type.size())
	if err != nil {
		return nil, err
	}
	v := newVersion(r.Time)
	if err := v.setSymmetric(k.Type, secret); err != nil {
		return nil, err
	}
	return nil, r.Storage.Update(ctx, func(tx storage.Tx) error { return storeAgreed(ctx, tx, *k, v) })
}

// storeAgreed stores an agreed key: as a new one, or as the next version of one that is there already.
func storeAgreed(ctx context.Context, tx storage.Tx, fresh key, v *version) error {
	k, err := get(ctx, tx, fresh.Name)
	if err != nil {
		return err
	}
	switch {
	case k == nil:
		k = &fresh
	case k.SoftDeleted:
		return fault("error importing key: %s", errSoftDeleted)
	case !k.Imported || k.Type != fresh.Type:
		return fault("error importing key: key %q exists and is not of an agreement for this type", k.Name)
	}
	k.add(v)
	return save(ctx, tx, k)
}

// agreed is the secret that the version of an ECDSA key shares with a peer.
func (k *key) agreed(number int, peer string, size int) ([]byte, error) {
	switch {
	case k.SoftDeleted:
		return nil, fault("%s", errSoftDeleted.Error())
	case number == 0:
		number = k.LatestVersion
	case number < 0:
		return nil, fault("requested version of the base key is negative")
	case number > k.LatestVersion:
		return nil, fault("requested version of the base key is higher than the latest key version")
	}
	v := k.Versions[number]
	if v == nil {
		return nil, fault("no such key version")
	}
	if v.lacksPrivate() {
		return nil, fault("base key version does not contain a private part")
	}
	private, err := v.private()
	if err != nil {
		return nil, err
	}
	mine, ok := private.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errDamaged
	}
	theirs, err := peerKey(peer)
	if err != nil {
		return nil, err
	}
	if theirs.Curve != mine.Curve {
		return nil, fault("base private key type %v does not match peer public key curve", k.Type)
	}
	own, err := mine.ECDH()
	if err != nil {
		return nil, err
	}
	other, err := theirs.ECDH()
	if err != nil {
		return nil, fault("%s", err)
	}
	shared, err := own.ECDH(other)
	if err != nil {
		return nil, fault("%s", err)
	}
	return hkdf.Key(sha256.New, shared, nil, "", size)
}

// peerKey reads the public key of a peer, or that in its certificate.
func peerKey(text string) (*ecdsa.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil {
		return nil, fault("failed to parse supplied peer public key PEM: data does not contain any valid public keys ")
	}
	if strings.TrimSpace(string(rest)) != "" {
		return nil, fault("failed to parse supplied peer public key PEM: unexpected trailing data after parsed PEM block ")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		certificate, badCertificate := x509.ParseCertificate(block.Bytes)
		if badCertificate != nil {
			return nil, fault("failed to parse supplied peer public key PEM: %s ", err)
		}
		public = certificate.PublicKey
	}
	theirs, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return nil, fault("supplied peer public key is not an ECDSA key")
	}
	return theirs, nil
}
