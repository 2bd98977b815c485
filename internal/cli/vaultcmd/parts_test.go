package vaultcmd_test

import (
	"crypto/aes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/ArcadeLabsInc/zvault/internal/cli/vaultcmd"
)

// FuzzYAML holds the hand-written YAML to a reader that knows the whole language: what comes back is what went in.
func FuzzYAML(f *testing.F) {
	for _, s := range []string{
		`{"a":"b"}`, `["a",["b",{"c":[]}],{}]`, `"text"`, `{"":"","y":"no","1":"1.0","~":"null","t":"2026-11-01","#":": -","-":"- x"}`,
		`[null,true,12,1.5]`, `{"a":[{"b":1,"c":[{"d":[]}]}],"e":{"f":{"g":{}}}}`, `"a\nb\tc \u0000\u007f\u0085\u2028\ufeff\" \\ é 😀"`, `[[],[[]],[{}]]`,
		`"0x1f"`, `".inf"`, `"<<"`, `"="`, `"-"`, `"---"`, `"*a"`, `"1_000"`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want any
		if json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		again, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		out, err := vaultcmd.YAMLOf(again)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := yaml.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		back, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var normal any
		if err := json.Unmarshal(back, &normal); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, normal); diff != "" {
			t.Errorf("(-want +got)\n%s\n%s", diff, out)
		}
	})
}

// TestWrapPadded has the vectors of RFC 5649, section 6.
func TestWrapPadded(t *testing.T) {
	t.Parallel()
	kek := unhex(t, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")
	for key, want := range map[string]string{
		"c37b7e6492584340bed12207808941155068f738": "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
		"466f7250617369": "afbeb0f07dfbf5419200f2ccb50bb24f",
	} {
		got, err := vaultcmd.WrapPadded(kek, unhex(t, key))
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("WrapPadded(%s) = %x, %v; want %s", key, got, err, want)
		}
	}
	if _, err := vaultcmd.WrapPadded(kek, nil); err == nil {
		t.Error("an empty key was wrapped")
	}
	if _, err := vaultcmd.WrapPadded(kek[:5], []byte("key")); err == nil {
		t.Error("a key of 5 bytes was wrapped under")
	}
}

// TestWrapForImport unwraps the outer half as an engine does, and wraps the key anew to compare the inner half.
func TestWrapForImport(t *testing.T) {
	t.Parallel()
	engine, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("01234567890123456789012345678901")
	text, err := vaultcmd.WrapForImport(&engine.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	moment, err := rsa.DecryptOAEP(sha256.New(), nil, engine, wrapped[:256], nil)
	if err != nil || len(moment) != 32 {
		t.Fatalf("the outer key has %d bytes: %v", len(moment), err)
	}
	inner, err := vaultcmd.WrapPadded(moment, key)
	if err != nil || string(inner) != string(wrapped[256:]) {
		t.Errorf("the inner half is not the key under the outer one: %v", err)
	}
	if len(inner)%aes.BlockSize != 8 || strings.Contains(string(wrapped), string(key)) {
		t.Error("the key is not wrapped")
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNewOTP(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 50 {
		otp, err := vaultcmd.NewOTP(26)
		if err != nil || !regexp.MustCompile(`^[0-9A-Za-z]{26}$`).MatchString(otp) || seen[otp] {
			t.Fatalf("NewOTP = %d characters, %v", len(otp), err)
		}
		seen[otp] = true
	}
	if _, err := vaultcmd.NewOTP(0); err == nil {
		t.Error("a password of no length was made")
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", time.Minute: "1m", 90 * time.Second: "1m30s", time.Hour: "1h", 768 * time.Hour: "768h", time.Hour + time.Second: "1h1s",
		time.Hour + time.Minute: "1h1m", 10 * time.Minute: "10m", 100 * time.Hour: "100h", -time.Second: "-1s",
	} {
		if got := vaultcmd.Span(d); got != want {
			t.Errorf("Span(%d) = %q, want %q", d, got, want)
		}
	}
	long := strings.Repeat("four ", 40)
	for line := range strings.Lines(vaultcmd.Wrap(long)) {
		if n := len(strings.TrimSuffix(line, "\n")); n > 78 || n == 0 {
			t.Errorf("a line of %d characters", n)
		}
	}
	if got := vaultcmd.Wrap("a  b\nc"); got != "a b c" {
		t.Errorf("Wrap = %q", got)
	}
}
