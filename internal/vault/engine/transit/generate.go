package transit

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"time"
)

// hmacSize is the length of the HMAC key that versions of other types have.
const hmacSize = 32

// newVersion is a version without a key of its type yet.
func newVersion(now time.Time) *version {
	now = now.UTC()
	v := &version{Time: now, Created: now.Unix(), HMACKey: make([]byte, hmacSize)}
	fill(v.HMACKey)
	return v
}

// fill fills b from the system's generator, which ends the program rather than fail.
func fill(b []byte) { _, _ = rand.Read(b) }

// generate makes a new version of a key like k. It may take seconds for RSA, so it is called outside of transactions.
func (k *key) generate(now time.Time) (*version, error) {
	v := newVersion(now)
	var err error
	switch {
	case k.Type.symmetric():
		v.Key = make([]byte, k.Type.size())
		fill(v.Key)
	case k.Type == hmacKey:
		if k.KeySize < minHMACKey || k.KeySize > maxHMACKey {
			return nil, fault("invalid key size for HMAC key, must be between %d and %d bytes", minHMACKey, maxHMACKey)
		}
		v.Key = make([]byte, k.KeySize)
		fill(v.Key)
		v.HMACKey = v.Key
	case k.Type.isECDSA():
		var private *ecdsa.PrivateKey
		if private, err = ecdsa.GenerateKey(k.Type.curve(), rand.Reader); err == nil {
			err = v.setEC(&private.PublicKey, private)
		}
	case k.Type == ed25519Key:
		var public ed25519.PublicKey
		if public, v.Key, err = generateEd25519(); err == nil {
			v.Public = base64.StdEncoding.EncodeToString(public)
		}
	case k.Type.isRSA():
		v.RSA, err = rsa.GenerateKey(rand.Reader, k.Type.size()*8)
	}
	if err != nil {
		return nil, fmt.Errorf("generating a transit key: %w", err)
	}
	if k.Convergent && (k.ConvergentVersion == -1 || k.ConvergentVersion > 1) {
		v.Convergent = convergentVersion
	}
	v.prepare(k.Type)
	return v, nil
}

func generateEd25519() (ed25519.PublicKey, []byte, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	return public, private, err
}

// add makes v the latest version.
func (k *key) add(v *version) {
	if k.Versions == nil {
		k.Versions = map[int]*version{}
	}
	k.LatestVersion++
	k.Versions[k.LatestVersion] = v
	k.MinDecryptionVersion = max(k.MinDecryptionVersion, 1)
}

// rotatable says why a key may not be rotated.
func (k *key) rotatable() error {
	if k.SoftDeleted {
		return fault("%s", errSoftDeleted.Error())
	}
	if k.Imported && !k.AllowRotation {
		return fault("imported key %s does not allow rotation within Vault", k.Name)
	}
	return nil
}
