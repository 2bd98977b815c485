package placeholder_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"hash/crc32"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
)

func set(t testing.TB, values ...string) *placeholder.Set {
	t.Helper()
	var all []placeholder.Secret
	for i, v := range values {
		all = append(all, placeholder.Secret{Name: string(rune('A' + i)), Value: secret.Of(v)})
	}
	s, err := placeholder.New(all)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Samples are put together here so that no scanner of repositories takes them for tokens.
var pemValue = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes.Repeat([]byte("a key of no worth. "), 8)}))

func TestNew_Shapes(t *testing.T) {
	t.Parallel()
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`))
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"alice","iss":"issuer","exp":1700000000}`))
	cases := []struct{ name, value, want string }{
		{"stripe", "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", `^sk_live_[0-9A-Za-z]{24}$`},
		{"openai", "sk-proj-" + strings.Repeat("aB3", 16), `^sk-proj-[0-9A-Za-z]{48}$`},
		{"github", "ghp_" + strings.Repeat("aB3", 12), `^ghp_[0-9A-Za-z]{36}$`},
		{"github, fine-grained", "github_pat_" + strings.Repeat("a1B", 7) + "c_" + strings.Repeat("d", 58) + "9", `^github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}$`},
		{"aws", "AKIA" + "IOSFODNN7EXAMPLE", `^AKIA[A-Z2-7]{16}$`},
		{"slack", "xoxb-" + "123456789012-abcdefghijkl", `^xoxb-[0-9A-Za-z]{25}$`},
		{"gitlab", "glpat-" + "abcdefghij0123456789", `^glpat-[0-9A-Za-z]{20}$`},
		{"uuid", "123e4567-e89b-12d3-a456-426614174000", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		{"hex", strings.Repeat("0a1b2c3d", 5), `^[0-9a-f]{40}$`},
		{"plain", "correct horse battery staple", `^zvph[0-9A-Za-z]{24}$`},
		{"short", "hunter2", `^zvph[0-9A-Za-z]{20}$`},
		{"short with a prefix", "sk_live_abc", `^sk_live_[0-9A-Za-z]{16}$`},
		{"url", "postgres://app:s3cr3t%2Fpw@db.internal:5432/app?sslmode=require", `^postgres://app:zvph[0-9A-Za-z]{20}@db\.internal:5432/app\?sslmode=require$`},
		{"url, token as user", "https://ghp_" + strings.Repeat("aB3", 12) + "@github.com/o/r.git", `^https://ghp_[0-9A-Za-z]{36}@github\.com/o/r\.git$`},
		{"url, token in the path", "https://hooks.example.com/services/T00/B00/aB3dE6gH9jK2mN5pQ8sT1vW4", `^https://hooks\.example\.com/services/T00/B00/zvph[0-9A-Za-z]{20}$`},
		{"url, key in the query", "https://example.com/x?api_key=s3cr3t-key&page=2", `^https://example\.com/x\?api_key=zvph[0-9A-Za-z]{20}&page=2$`},
		{"mysql", "app:s3cr3t-pw@tcp(127.0.0.1:3306)/app", `^app:zvph[0-9A-Za-z]{20}@tcp\(127\.0\.0\.1:3306\)/app$`},
		{"libpq", "host=db user=app password=s3cr3t-pw", `^host=db user=app password=zvph[0-9A-Za-z]{20}$`},
		{"header", "Bearer s3cr3t-t0ken", `^Bearer zvph[0-9A-Za-z]{20}$`},
		{"jwt", header + "." + claims + ".c2lnbmF0dXJl", `^` + header + `\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]{43}$`},
		{"pem", pemValue, `^-----BEGIN PRIVATE KEY-----\n[0-9A-Za-z+/=\n]+-----END PRIVATE KEY-----\n$`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := set(t, c.value)
			got := s.Variable("A")
			if !regexp.MustCompile(c.want).MatchString(got) {
				t.Errorf("the placeholder is %q; want %s", got, c.want)
			}
			if other := set(t, c.value).Variable("A"); other == got {
				t.Errorf("two runs have the same placeholder %q", got)
			}
			if len(s.Open()) > 0 {
				t.Errorf("%q is handed over", s.Open())
			}
		})
	}
}

func TestNew_Checksum(t *testing.T) {
	t.Parallel()
	got := set(t, "ghp_"+strings.Repeat("aB3", 12)).Variable("A")
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := uint32(0)
	for _, l := range got[34:] {
		sum = sum*62 + uint32(strings.IndexRune(letters, l))
	}
	if want := crc32.ChecksumIEEE([]byte(got[4:34])); sum != want {
		t.Errorf("the checksum of %q is %d; want %d", got, sum, want)
	}
}

func TestNew_JWT(t *testing.T) {
	t.Parallel()
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	got := set(t, part(`{"alg":"HS256"}`)+"."+part(`{"sub":"alice"}`)+"."+part("signature")).Variable("A")
	for i, p := range strings.Split(got, ".")[:2] {
		var object map[string]any
		b, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil || json.Unmarshal(b, &object) != nil || object["sub"] != nil {
			t.Errorf("part %d of %q is %q: %v", i, got, b, err)
		}
	}
}

func TestNew_PEM(t *testing.T) {
	t.Parallel()
	got := set(t, pemValue+pemValue).Variable("A")
	n := 0
	for block, rest := pem.Decode([]byte(got)); block != nil; block, rest = pem.Decode(rest) {
		if n++; block.Type != "PRIVATE KEY" || bytes.Contains(block.Bytes, []byte("worth")) {
			t.Errorf("block %d is %q", n, block.Bytes)
		}
	}
	if n != 2 || len(got) != 2*len(pemValue) {
		t.Errorf("%d blocks of %d bytes", n, len(got))
	}
}

// What cannot be told from other text is handed over, unless it is forced.
func TestNew_Open(t *testing.T) {
	t.Parallel()
	s := set(t, "production", "3000", "https://api.example.com/v1", "", "postgres://app@db/app")
	if got := strings.Join(s.Open(), ""); got != "ABCDE" {
		t.Errorf("%q are open", got)
	}
	if got := s.Variable("A") + s.Variable("C"); got != "production"+"https://api.example.com/v1" {
		t.Errorf("they are %q", got)
	}
	forced, err := placeholder.New([]placeholder.Secret{{Name: "A", Value: secret.Of("production"), Force: true}})
	if err != nil || len(forced.Open()) > 0 || strings.Contains(forced.Variable("A"), "prod") {
		t.Errorf("forced: %q, %v", forced.Variable("A"), err)
	}
}

func TestPieces_Decoded(t *testing.T) {
	t.Parallel()
	s := set(t, "postgres://app:p%40ss%2Fword9@db/app")
	if n := len(s.Pieces()); n != 1 || string(s.Pieces()[0].Value.Reveal()) != "p@ss/word9" {
		t.Errorf("%d pieces", n)
	}
}

// values are of the shapes above, with anything for the secret part.
var values = rapid.OneOf(
	rapid.StringMatching(`[!-~]{6,80}`),
	rapid.StringMatching(`(sk_live_|sk-|ghp_|AKIA|glpat-|xoxb-|hvs\.)[0-9A-Za-z]{6,60}`),
	rapid.StringMatching(`[0-9a-f]{16,64}`),
	rapid.StringMatching(`[A-Z0-9]{20,40}`),
	rapid.StringMatching(`(postgres|redis|https)://[a-z]{1,6}:[a-zA-Z0-9]{8,30}@[a-z]{3,8}/[a-z]{0,5}`),
)

// A placeholder holds no four bytes in a row of its value but a public prefix, is found wherever it stands in every form, and no
// two are the same.
func TestLaw_Placeholders(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(values, 1, 6).Draw(rt, "values")
		s := set(t, all...)
		seen := map[string]bool{}
		for _, p := range s.Pieces() {
			if seen[p.Placeholder] {
				rt.Fatalf("%q stands for two", p.Placeholder)
			}
			seen[p.Placeholder] = true
			value := p.Value.Reveal()
			public := 0
			for public < len(value) && public < len(p.Placeholder) && value[public] == p.Placeholder[public] {
				public++
			}
			for i := public; i+4 <= len(p.Placeholder); i++ {
				if at := bytes.Index(value, []byte(p.Placeholder[i:i+4])); at >= public {
					rt.Fatalf("%q holds a part of the value", p.Placeholder)
				}
			}
			if len(p.Placeholder) < 18 {
				rt.Fatalf("%q is too short to be found safely", p.Placeholder)
			}
			found := 0
			redact.Forms(secret.Of(p.Placeholder), func(e redact.Encoding, form []byte) {
				text := append(append([]byte("before "), form...), " after"...)
				for _, f := range s.Find(text) {
					if f.Piece.Placeholder == p.Placeholder {
						found++
						return
					}
				}
				rt.Fatalf("%s of %q is not found", e, p.Placeholder)
			})
			for _, form := range []string{"x=" + url.QueryEscape(p.Placeholder), base64.StdEncoding.EncodeToString([]byte("user:" + p.Placeholder))} {
				if !s.Has(form) {
					rt.Fatalf("%q is not found in %q", p.Placeholder, form)
				}
			}
			if found == 0 {
				rt.Fatal("there is no form")
			}
		}
	})
}
