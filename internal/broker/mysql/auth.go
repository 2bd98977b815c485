package mysql

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what the protocol wants
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// The authentication plugins that are spoken.
const (
	pluginNative = "mysql_native_password"
	pluginSHA2   = "caching_sha2_password"
	pluginClear  = "mysql_clear_password"

	sha2FastDone  = 3 // the server knows the password already, and it is right
	sha2Full      = 4 // it wants to see the password itself
	sha2PublicKey = 2 // what asks for the key to hide it under
)

// nativeProof is SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password))).
func nativeProof(password, nonce []byte) []byte {
	if len(password) == 0 {
		return nil
	}
	once := sha1.Sum(password) //nolint:gosec // what the protocol wants
	twice := sha1.Sum(once[:]) //nolint:gosec // what the protocol wants
	h := sha1.New()            //nolint:gosec // what the protocol wants
	h.Write(nonce)
	h.Write(twice[:])
	proof := h.Sum(nil)
	subtle.XORBytes(proof, proof, once[:])
	return proof
}

// sha2Proof is SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce).
func sha2Proof(password, nonce []byte) []byte {
	if len(password) == 0 {
		return nil
	}
	once := sha256.Sum256(password)
	twice := sha256.Sum256(once[:])
	h := sha256.New()
	h.Write(twice[:])
	h.Write(nonce)
	proof := h.Sum(nil)
	subtle.XORBytes(proof, proof, once[:])
	return proof
}

// proves reports whether a proof shows that its maker knows the password.
func proves(plugin string, proof, password, nonce []byte) bool {
	want := nativeProof(password, nonce)
	if plugin == pluginSHA2 {
		want = sha2Proof(password, nonce)
	}
	return len(want) > 0 && subtle.ConstantTimeCompare(proof, want) == 1
}

// authenticator answers a server's questions.
type authenticator struct {
	password, nonce []byte
	plugin          string
	secured         bool // by TLS
}

// first is the answer to the plugin's first challenge.
func (a *authenticator) first() ([]byte, error) {
	switch a.plugin {
	case pluginNative:
		return nativeProof(a.password, a.nonce), nil
	case pluginSHA2:
		return sha2Proof(a.password, a.nonce), nil
	case pluginClear:
		if !a.secured {
			return nil, errors.New("the server wants the password in clear over a connection without TLS")
		}
		return append(bytes.Clone(a.password), 0), nil
	}
	return nil, fmt.Errorf("the server wants to authenticate by %q, which the broker does not speak", a.plugin)
}

// next answers a packet that is neither OK nor an error; nil if there is nothing to say.
func (a *authenticator) next(p []byte) ([]byte, error) {
	switch p[0] {
	case packetSwitch:
		plugin, data, ok := bytes.Cut(p[1:], []byte{0})
		if !ok {
			return nil, errMalformed
		}
		a.plugin, a.nonce = string(plugin), bytes.TrimSuffix(data, []byte{0})
		answer, err := a.first()
		if answer == nil && err == nil {
			answer = []byte{} // an empty password
		}
		return answer, err
	case packetMore:
		return a.more(p[1:])
	}
	return nil, errMalformed
}

// more goes on with caching_sha2_password.
func (a *authenticator) more(data []byte) ([]byte, error) {
	switch {
	case a.plugin != pluginSHA2 || len(data) == 0:
		return nil, errMalformed
	case len(data) == 1 && data[0] == sha2FastDone:
		return nil, nil
	case len(data) == 1 && data[0] == sha2Full && a.secured:
		return append(bytes.Clone(a.password), 0), nil
	case len(data) == 1 && data[0] == sha2Full:
		return []byte{sha2PublicKey}, nil
	}
	return a.hide(data)
}

// hide encrypts the password for the server's key, as it is done without TLS.
func (a *authenticator) hide(key []byte) ([]byte, error) {
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, errMalformed
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the server's key: %w", err)
	}
	public, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the server's key is no RSA key")
	}
	plain := append(bytes.Clone(a.password), 0)
	for i := range plain {
		plain[i] ^= a.nonce[i%len(a.nonce)]
	}
	return rsa.EncryptOAEP(sha1.New(), rand.Reader, public, plain, nil) //nolint:gosec // what the protocol wants
}
