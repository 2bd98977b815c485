package transit_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// damages are ways of spoiling a backup: each gets its policy.
func damages() map[string]func(policy map[string]any) {
	latest := func(policy map[string]any) map[string]any {
		return policy["keys"].(map[string]any)["3"].(map[string]any)
	}
	return map[string]func(map[string]any){
		"no versions":       func(p map[string]any) { p["keys"] = nil },
		"a version missing": func(p map[string]any) { p["latest_version"] = json.Number("4") },
		"minimum beyond":    func(p map[string]any) { p["min_decryption_version"] = json.Number("9") },
		"encryption before decryption": func(p map[string]any) {
			p["min_decryption_version"], p["min_encryption_version"] = json.Number("3"), json.Number("2")
		},
		"negative":          func(p map[string]any) { p["min_available_version"] = json.Number("-1") },
		"unknown type":      func(p map[string]any) { p["type"] = json.Number("99") },
		"negative type":     func(p map[string]any) { p["type"] = json.Number("-1") },
		"key is a number":   func(p map[string]any) { latest(p)["hmac_key"] = 5 },
		"another's type":    func(p map[string]any) { p["type"] = otherType(p["type"]) },
		"no key material":   func(p map[string]any) { p["keys"].(map[string]any)["3"] = map[string]any{} },
		"short key":         func(p map[string]any) { spoil(latest(p)) },
		"a version too far": func(p map[string]any) { p["keys"].(map[string]any)["7"] = latest(p) },
	}
}

func otherType(was any) json.Number {
	if was == json.Number("1") { // ecdsa-p256 becomes ed25519, all else becomes ecdsa-p256
		return "2"
	}
	return "1"
}

// spoil changes the key of a version, whatever it is.
func spoil(v map[string]any) {
	if v["key"] != nil {
		v["key"] = "AAAA"
	}
	if v["ec_x"] != nil {
		v["ec_x"] = json.Number("5")
	}
	if key, ok := v["rsa_key"].(map[string]any); ok {
		key["D"] = json.Number("5")
	}
	v["public_key"] = "AAAA"
}

func damaged(t *testing.T, backup string, damage func(map[string]any)) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(backup)
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&whole); err != nil {
		t.Fatal(err)
	}
	delete(whole, "archived_keys")
	damage(whole["policy"].(map[string]any))
	if raw, err = json.Marshal(whole); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// TestRestore_Numbers puts numbers that make no key into backups: they are refused, whatever the number.
func TestRestore_Numbers(t *testing.T) {
	t.Parallel()
	numbers := []any{nil, json.Number("0"), json.Number("1"), json.Number("-1"), json.Number("2"), json.Number("4"),
		json.Number("9" + strings.Repeat("0", 700)), json.Number("1" + strings.Repeat("3", 5000))}
	for _, g := range goldens(t) {
		var places []string
		switch {
		case strings.Contains(g.Params, "rsa-2048"):
			places = []string{"N", "E", "D", "Primes", "both primes"}
		case strings.Contains(g.Params, "ecdsa"):
			places = []string{"ec_x", "ec_y", "ec_d"}
		}
		for _, place := range places {
			for i, number := range numbers {
				if place == "E" && i > 5 || place == "ec_d" && number == nil { // no int; only a public key
					continue
				}
				backup := damaged(t, g.Backup, func(policy map[string]any) {
					v := policy["keys"].(map[string]any)["3"].(map[string]any)
					key, _ := v["rsa_key"].(map[string]any)
					switch {
					case key == nil:
						v[place] = number
					case place == "Primes":
						key["Primes"].([]any)[0] = number
					case place == "both primes":
						key["Primes"] = []any{number, number}
					default:
						key[place] = number
					}
				})
				m := logicaltest.New(t, transit.New(), nil)
				if _, err := m.Do(t, logical.Update, "restore/g", fmt.Sprintf(`{"backup":%q}`, backup)); err == nil {
					t.Errorf("%s: %s as number %d was restored", g.Params, place, i)
				}
			}
		}
	}
}
