package crypt_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
)

// hexed is bytes written in hex.
type hexed []byte

// UnmarshalJSON implements json.Unmarshaler.
func (h *hexed) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	b, err := hex.DecodeString(s)
	*h = b
	return err
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func load[T any](t testing.TB, name string) T {
	t.Helper()
	var v T
	data, err := os.ReadFile("testdata/" + name)
	check(t, err)
	check(t, json.Unmarshal(data, &v))
	return v
}

// wycheproof is the frame of a file of Wycheproof vectors.
type wycheproof struct {
	TestGroups []struct {
		PublicKey struct{ PK hexed }
		Tests     []struct {
			TcID                                                  int
			Key, IV, AAD, Msg, CT, Tag, Sig, IKM, Salt, Info, OKM hexed
			Size                                                  int
			Result                                                string
		}
	}
}

// count fails if a file holds fewer vectors than it should.
func (w wycheproof) count(t *testing.T, atLeast int) {
	t.Helper()
	n := 0
	for _, g := range w.TestGroups {
		n += len(g.Tests)
	}
	if n < atLeast {
		t.Fatalf("%d vectors; want at least %d", n, atLeast)
	}
}

// What Key.Seal and Key.Open are made of: AES-256-GCM as the standard library has it.
func TestVectors_AESGCM(t *testing.T) {
	t.Parallel()
	all := load[wycheproof](t, "wycheproof/aes_gcm_test.json")
	all.count(t, 50)
	for _, g := range all.TestGroups {
		for _, v := range g.Tests {
			block, err := aes.NewCipher(v.Key)
			check(t, err)
			aead, err := cipher.NewGCM(block)
			check(t, err)
			got, err := aead.Open(nil, v.IV, append(bytes.Clone(v.CT), v.Tag...), v.AAD)
			if (err == nil) != (v.Result == "valid") || err == nil && !bytes.Equal(got, v.Msg) {
				t.Errorf("vector %d: %v", v.TcID, err)
			}
		}
	}
}

func TestVectors_HMAC(t *testing.T) {
	t.Parallel()
	all := load[wycheproof](t, "wycheproof/hmac_sha256_test.json")
	all.count(t, 50)
	for _, g := range all.TestGroups {
		for _, v := range g.Tests {
			h := hmac.New(sha256.New, v.Key)
			h.Write(v.Msg)
			if ok := hmac.Equal(h.Sum(nil)[:len(v.Tag)], v.Tag); ok != (v.Result == "valid") {
				t.Errorf("vector %d: %v", v.TcID, ok)
			}
		}
	}
}

func TestVectors_HKDF(t *testing.T) {
	t.Parallel()
	all := load[wycheproof](t, "wycheproof/hkdf_sha256_test.json")
	all.count(t, 50)
	for _, g := range all.TestGroups {
		for _, v := range g.Tests {
			got, err := hkdf.Key(sha256.New, v.IKM, v.Salt, string(v.Info), v.Size)
			if (err == nil) != (v.Result == "valid") || err == nil && !bytes.Equal(got, v.OKM) {
				t.Errorf("vector %d: %v", v.TcID, err)
			}
		}
	}
	rfc := load[[]struct {
		Name                 string
		IKM, Salt, Info, OKM hexed
	}](t, "rfc5869.json")
	if len(rfc) < 3 {
		t.Fatal("the vectors of RFC 5869 are missing")
	}
	for _, v := range rfc {
		got, err := hkdf.Key(sha256.New, v.IKM, v.Salt, string(v.Info), len(v.OKM))
		if err != nil || !bytes.Equal(got, v.OKM) {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

func TestVectors_Ed25519(t *testing.T) {
	t.Parallel()
	all := load[wycheproof](t, "wycheproof/ed25519_test.json")
	all.count(t, 50)
	for _, g := range all.TestGroups {
		for _, v := range g.Tests {
			if ok := crypt.Verify([]byte(g.PublicKey.PK), v.Msg, v.Sig); ok != (v.Result == "valid") {
				t.Errorf("vector %d: %v", v.TcID, ok)
			}
		}
	}
	rfc := load[[]struct {
		Name                             string
		Seed, Public, Message, Signature hexed
	}](t, "rfc8032.json")
	if len(rfc) < 3 {
		t.Fatal("the vectors of RFC 8032 are missing")
	}
	for _, v := range rfc {
		key, err := crypt.NewSigningKey(bytes.Clone(v.Seed))
		check(t, err)
		if !bytes.Equal(key.Public(), v.Public) || !bytes.Equal(key.Sign(v.Message), v.Signature) {
			t.Errorf("%s: another key or signature", v.Name)
		}
	}
}

// Our own format, as another implementation has made it: it must open for ever.
func TestGolden(t *testing.T) {
	t.Parallel()
	all := load[struct {
		Seal []struct {
			Key       hexed
			ID        crypt.KeyID
			AAD       []string
			Plaintext hexed
			Envelope  hexed
		}
	}](t, "golden_v1.json")
	if len(all.Seal) < 3 {
		t.Fatalf("%d envelopes", len(all.Seal))
	}
	for i, v := range all.Seal {
		key, err := crypt.NewKey(v.ID, bytes.Clone(v.Key))
		check(t, err)
		got, err := key.Open(v.Envelope, crypt.AAD(v.AAD...))
		if err != nil || !bytes.Equal(got, v.Plaintext) {
			t.Errorf("envelope %d: %v", i, err)
		}
	}
}

// PassphraseKey is Argon2id; those vectors that its bounds allow say so.
func TestVectors_Argon2id(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, v := range load[[]struct {
		Passphrase, Salt string
		Time             uint32
		MemoryKiB        uint32 `json:"memory_kib"`
		Threads          uint8
		Key              hexed
	}](t, "argon2id.json") {
		key, err := crypt.PassphraseKey([]byte(v.Passphrase), crypt.Argon2Params{Salt: []byte(v.Salt), Time: v.Time, Memory: v.MemoryKiB, Threads: v.Threads})
		if err != nil {
			continue // weaker than we allow
		}
		tried++
		check(t, key.Export(func(material []byte) error {
			if !bytes.Equal(material, v.Key) {
				t.Errorf("%d passes, %d KiB: another key", v.Time, v.MemoryKiB)
			}
			return nil
		}))
	}
	if tried == 0 {
		t.Fatal("no vector is within the bounds")
	}
}
