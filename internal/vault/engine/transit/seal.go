package transit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// item is one thing to encrypt, decrypt or rewrap.
type item struct {
	text      string // plaintext in base64, or ciphertext
	context   string // base64
	ad        string // associated data, base64
	version   int    // to encrypt with; 0: the latest
	reference string // echoed
	index     int    // in the batch; for messages
}

// decodeContext returns the item's context.
func (it *item) decodeContext() ([]byte, error) {
	if it.context == "" {
		return nil, nil
	}
	context, err := base64.StdEncoding.DecodeString(it.context)
	if err != nil {
		return nil, logical.Invalid("%s", err)
	}
	return context, nil
}

// associated returns the item's associated data.
func (it *item) associated() ([]byte, error) {
	if it.ad == "" {
		return nil, nil
	}
	ad, err := base64.StdEncoding.DecodeString(it.ad)
	if err != nil {
		return nil, fault("unable to get associated_data/additional_data from factory[0]: %s", err)
	}
	return ad, nil
}

// errUnsupportedAD marks the one failure of a batch item that leaves the status of the batch as it is.
type errUnsupportedAD struct{ refusal *logical.Error }

func (e errUnsupportedAD) Error() string { return e.refusal.Error() }

// Unwrap makes it the refusal that it is.
func (e errUnsupportedAD) Unwrap() error { return e.refusal }

// accepts refuses associated data that the type of the key has no use for.
func (k *key) accepts(it *item) error {
	if it.ad != "" && !k.Type.symmetric() {
		return errUnsupportedAD{logical.Invalid("'[%d].associated_data' provided for non-AEAD cipher suite %v", it.index, k.Type)}
	}
	return nil
}

// encrypt appends the ciphertext of an item, whose context is decoded, and returns the version that it was made with.
//
// The bytes below the base64 are nonce | ciphertext | tag, or what RSA-OAEP gives.
func (k *key) encrypt(dst []byte, it *item, context []byte) ([]byte, int, error) {
	if k.SoftDeleted {
		return nil, 0, errSoftDeleted
	}
	if !k.Type.encrypts() {
		return nil, 0, logical.Invalid("message encryption not supported for key type %v", k.Type)
	}
	// The plaintext is decoded to where its ciphertext will be: encryption works in place.
	const room = 32 // for a tag, and what base64 decodes to at most beyond the length
	nonceSize := k.Type.nonceSize()
	raw := make([]byte, nonceSize, nonceSize+base64.StdEncoding.DecodedLen(len(it.text))+room)
	raw, err := base64.StdEncoding.AppendDecode(raw, []byte(it.text))
	if err != nil {
		return nil, 0, logical.Invalid("%s", err)
	}
	v, number, err := k.forNew(it.version, "encryption")
	if err != nil {
		return nil, 0, err
	}
	if k.Type.isRSA() {
		raw, err = v.encryptRSA(raw[nonceSize:])
	} else {
		raw, err = k.encryptAEAD(v, raw, it, context)
	}
	if err != nil {
		return nil, 0, err
	}
	return base64.StdEncoding.AppendEncode(appendPrefix(dst, number), raw), number, nil
}

// encryptAEAD encrypts the plaintext that raw holds behind room for the nonce.
func (k *key) encryptAEAD(v *version, raw []byte, it *item, context []byte) ([]byte, error) {
	aead, nonceKey, err := k.cipherFor(v, context)
	if err != nil {
		return nil, err
	}
	ad, err := it.associated()
	if err != nil {
		return nil, err
	}
	size := aead.NonceSize()
	nonce, plaintext := raw[:size], raw[size:]
	if k.Convergent {
		mac := hmac.New(sha256.New, nonceKey)
		mac.Write(plaintext)
		copy(nonce, mac.Sum(nil))
	} else {
		fill(nonce)
	}
	return aead.Seal(nonce, nonce, plaintext, ad), nil
}

func (v *version) encryptRSA(plaintext []byte) ([]byte, error) {
	public, err := v.public()
	if err != nil {
		return nil, err
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, errDamaged
	}
	raw, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, key, plaintext, nil)
	if err != nil {
		return nil, fault("failed to RSA encrypt the plaintext: %s", err)
	}
	return raw, nil
}

// opening parses a ciphertext and finds its version.
func (k *key) opening(text string) (*version, string, error) {
	if k.SoftDeleted {
		return nil, "", errSoftDeleted
	}
	if !k.Type.encrypts() {
		return nil, "", logical.Invalid("message decryption not supported for key type %v", k.Type)
	}
	number, encoded, bad := parseEnvelope(text)
	if bad != noDefect {
		return nil, "", logical.Invalid("invalid ciphertext: %s", bad)
	}
	if number == 0 { // versions were once counted from 0
		number = 1
	}
	if number > k.LatestVersion {
		return nil, "", logical.Invalid("invalid ciphertext: %s", tooNew)
	}
	if number < k.MinDecryptionVersion {
		return nil, "", errTooOld
	}
	v, err := k.version(number)
	return v, encoded, err
}

var errTooOld = logical.Invalid("ciphertext or signature version is disallowed by policy (too old)")

// decrypt returns the plaintext of an item, whose context is decoded.
func (k *key) decrypt(it *item, context []byte) ([]byte, error) {
	v, encoded, err := k.opening(it.text)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.AppendDecode(make([]byte, 0, base64.StdEncoding.DecodedLen(len(encoded))), []byte(encoded))
	if err != nil {
		return nil, logical.Invalid("invalid ciphertext: could not decode base64")
	}
	if k.Type.isRSA() {
		return v.decryptRSA(raw)
	}
	aead, _, err := k.cipherFor(v, context)
	if err != nil {
		return nil, err
	}
	ad, err := it.associated()
	if err != nil {
		return nil, err
	}
	size := aead.NonceSize()
	if len(raw) < size {
		return nil, logical.Invalid("invalid ciphertext length")
	}
	plaintext, err := aead.Open(raw[size:size], raw[:size], raw[size:], ad)
	if err != nil {
		return nil, logical.Invalid("%s", err)
	}
	return plaintext, nil
}

func (v *version) decryptRSA(raw []byte) ([]byte, error) {
	if v.lacksPrivate() {
		return nil, fault("cannot decrypt ciphertext, key version does not have a private counterpart")
	}
	private, err := v.private()
	if err != nil {
		return nil, err
	}
	key, ok := private.(*rsa.PrivateKey)
	if !ok {
		return nil, errDamaged
	}
	plaintext, err := rsa.DecryptOAEP(sha256.New(), nil, key, raw, nil)
	if err != nil {
		return nil, fault("failed to RSA decrypt the ciphertext: %s", err)
	}
	return plaintext, nil
}
