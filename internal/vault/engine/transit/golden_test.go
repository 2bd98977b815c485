package transit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// golden is a key that OpenBao made, and what it made with it.
type golden struct {
	Params     string
	Trimmed    bool
	Backup     string
	Ciphertext string `json:"ciphertext1"`
	Signature  string `json:"signature1"`
	JWS        string `json:"jws1"`
	HMAC       string `json:"hmac1"`
	Latest     struct{ Ciphertext, Signature, JWS, HMAC string }
}

func goldens(t testing.TB) []golden {
	t.Helper()
	raw, err := os.ReadFile("testdata/openbao_backups.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []golden
	var latest []struct {
		Ciphertext3, Signature3, JWS3, HMAC3 string
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &latest); err != nil {
		t.Fatal(err)
	}
	if len(all) < 16 {
		t.Fatalf("only %d keys", len(all))
	}
	for i, l := range latest {
		all[i].Latest = struct{ Ciphertext, Signature, JWS, HMAC string }{l.Ciphertext3, l.Signature3, l.JWS3, l.HMAC3}
	}
	return all
}

// object is the data of a call that has to succeed.
func object(t testing.TB, m *logicaltest.Mount, op logical.Operation, path, body string) map[string]any {
	t.Helper()
	v, ok := dataOf(t, m.Must(t, op, path, body)).(map[string]any)
	if !ok {
		t.Fatalf("%s %s: no object", op, path)
	}
	return v
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		t.Run(g.Params, func(t *testing.T) {
			t.Parallel()
			m := logicaltest.New(t, transit.New(), nil)
			m.Must(t, logical.Update, "restore/g", fmt.Sprintf(`{"backup":%q}`, g.Backup))
			using(t, m, g.Latest.Ciphertext, g.Latest.Signature, g.Latest.JWS, g.Latest.HMAC)
			if strings.Contains(g.Params, "convergent") {
				got := object(t, m, logical.Update, "encrypt/g", `{"plaintext":"Z29sZGVu","context":"Y29udGV4dA=="}`)
				if got["ciphertext"] != g.Latest.Ciphertext {
					t.Error("encrypted to another ciphertext")
				}
			}
			if g.Trimmed {
				m.Refused(t, logical.Update, "verify/g", fmt.Sprintf(`{"input":"Z29sZGVu","hmac":%q}`, g.HMAC), 400, "too old")
				return
			}
			m.Must(t, logical.Update, "keys/g/config", `{"min_decryption_version":1}`)
			using(t, m, g.Ciphertext, g.Signature, g.JWS, g.HMAC)
			using(t, m, g.Latest.Ciphertext, g.Latest.Signature, g.Latest.JWS, g.Latest.HMAC)
		})
	}
}

func using(t *testing.T, m *logicaltest.Mount, ciphertext, signature, jws, mac string) {
	t.Helper()
	const about = `"context":"Y29udGV4dA=="`
	if ciphertext != "" {
		if got := object(t, m, logical.Update, "decrypt/g", fmt.Sprintf(`{"ciphertext":%q,%s}`, ciphertext, about)); got["plaintext"] != "Z29sZGVu" {
			t.Errorf("decrypted to %v", got)
		}
	}
	for _, check := range []string{
		fmt.Sprintf(`"signature":%q`, signature),
		fmt.Sprintf(`"signature":%q,"hash_algorithm":"sha2-384","marshaling_algorithm":"jws","signature_algorithm":"pkcs1v15"`, jws),
		fmt.Sprintf(`"hmac":%q`, mac),
	} {
		if strings.HasPrefix(check, `"signature":""`) || mac == "" && strings.HasPrefix(check, `"hmac"`) {
			continue
		}
		if got := object(t, m, logical.Update, "verify/g", fmt.Sprintf(`{"input":"Z29sZGVu",%s,%s}`, about, check)); got["valid"] != true {
			t.Errorf("%s: %v", check, got)
		}
		if got := object(t, m, logical.Update, "verify/g", fmt.Sprintf(`{"input":"Z29sZGVp",%s,%s}`, about, check)); got["valid"] != false {
			t.Errorf("another input, %s: %v", check, got)
		}
	}
}

// TestRestore_Damaged restores backups with something wrong in them. None may be stored.
func TestRestore_Damaged(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		for name, damage := range damages() {
			t.Run(g.Params+"/"+name, func(t *testing.T) {
				t.Parallel()
				m := logicaltest.New(t, transit.New(), nil)
				text := damaged(t, g.Backup, damage)
				if _, err := m.Do(t, logical.Update, "restore/g", fmt.Sprintf(`{"backup":%q}`, text)); err == nil {
					t.Error("restored")
				}
				m.Refused(t, logical.Read, "keys/g", "", 404, "")
			})
		}
	}
}

// TestRestore_AnotherPrivate restores public keys with a private key that is not theirs.
func TestRestore_AnotherPrivate(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		if !strings.Contains(g.Params, "ecdsa") {
			continue
		}
		backup := damaged(t, g.Backup, func(policy map[string]any) {
			policy["keys"].(map[string]any)["2"].(map[string]any)["ec_d"] = json.Number("5")
		})
		m := logicaltest.New(t, transit.New(), nil)
		m.Refused(t, logical.Update, "restore/g", fmt.Sprintf(`{"backup":%q}`, backup), 500, "version 2 in the backup is damaged")
	}
}

// TestGolden_Counter opens what was encrypted with a key that was derived in the way before HKDF.
func TestGolden_Counter(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/openbao_counter.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	var sealed struct{ Ciphertext string }
	if err := errors.Join(json.Unmarshal(raw, &g), json.Unmarshal(raw, &sealed)); err != nil {
		t.Fatal(err)
	}
	m := logicaltest.New(t, transit.New(), nil)
	m.Must(t, logical.Update, "restore/g", fmt.Sprintf(`{"backup":%q}`, g.Backup))
	if got := object(t, m, logical.Read, "keys/g", ""); got["kdf"] != "hmac-sha256-counter" || got["kdf_mode"] != "hmac-sha256-counter" {
		t.Errorf("kdf %v", got["kdf"])
	}
	using(t, m, sealed.Ciphertext, "", "", "")
}

// TestConvergent_Old refuses the ways of making nonces that are known to be weak.
func TestConvergent_Old(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		if !strings.Contains(g.Params, "convergent") {
			continue
		}
		for way, text := range map[string]string{
			"1": "refusing to support decryption with old convergent encryption key: version 1",
			"2": "refusing to support decryption with old convergent encryption key: version 2",
		} {
			backup := damaged(t, g.Backup, func(policy map[string]any) {
				for _, v := range policy["keys"].(map[string]any) {
					v.(map[string]any)["convergent_version"] = json.Number(way)
				}
			})
			m := logicaltest.New(t, transit.New(), nil)
			m.Must(t, logical.Update, "restore/g", fmt.Sprintf(`{"backup":%q}`, backup))
			m.Refused(t, logical.Update, "encrypt/g", `{"plaintext":"aGk=","context":"aGk="}`, 400, text)
			m.Refused(t, logical.Update, "decrypt/g", fmt.Sprintf(`{"ciphertext":%q,"context":"aGk="}`, g.Latest.Ciphertext), 400, text)
		}
	}
}
