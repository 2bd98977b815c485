package scan_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/scan"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

const (
	alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	hexes = "0123456789abcdef"
)

// letters returns n random ones: what looks like a secret is made here and stands in no file of the repository.
func letters(seed uint64, set string, n int) string {
	r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // test data
	b := make([]byte, n)
	for i := range b {
		b[i] = set[r.IntN(len(set))]
	}
	return string(b)
}

// specimen is a secret in a file.
type specimen struct {
	rule, file, before, value, after string
}

func (p specimen) line() string { return p.before + p.value + p.after }

func corpus() []specimen {
	dashes := strings.Repeat("-", 5)
	return []specimen{
		{"github-pat", "ci.yml", "token: ", "gh" + "p_" + letters(1, alnum, 36), ""},
		{"gitlab-pat", "ci.yml", "GITLAB=", "gl" + "pat-" + letters(2, alnum, 20), ""},
		{"aws-access-token", "config.ini", "aws_access_key_id = ", "AK" + "IA" + letters(3, upper, 16), ""},
		{"slack-bot-token", "bot.py", `client = Slack("`, "xo" + "xb-" + letters(4, "123456789", 12) + "-" + letters(5, "123456789", 12) + "-" + letters(6, alnum, 24), `")`},
		{"stripe-access-token", "pay.rb", "Stripe.api_key = '", "sk_" + "live_" + letters(7, alnum, 24), "'"},
		{"generic-api-key", "settings.py", `api_key = "`, letters(8, hexes, 40), `"`},
		{"npm-access-token", ".npmrc", "//registry/:_authToken=", "np" + "m_" + letters(9, "abcdefghijklmnopqrstuvwxyz0123456789", 36), ""},
		{"private-key", "id_rsa", "", dashes + "BEGIN RSA PRIVATE " + "KEY" + dashes + "\n" + letters(10, alnum, 64) + "\n" + letters(11, alnum, 64) + "\n" + dashes + "END RSA PRIVATE " + "KEY" + dashes, ""},
		{"jwt", "session.log", "session '", "ey" + "JhbGciOiJIUzI1NiJ9.ey" + letters(12, alnum, 40) + "." + letters(13, alnum, 43), "'"},
		{"nuget-config-password", "nuget.config", `<add key="ClearTextPassword" value="`, letters(14, alnum, 12), `" />`},
	}
}

func scannerOf(t testing.TB, own *scan.Finder) *scan.Scanner {
	t.Helper()
	s, err := scan.New(own)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newPrinter(t testing.TB) *scan.Printer {
	t.Helper()
	key, err := crypt.GenerateKey(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(key.Destroy)
	p, err := scan.NewPrinter(key)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newFinder returns what finds values, by names NAME=value.
func newFinder(t interface {
	Helper()
	Fatal(args ...any)
}, p *scan.Printer, values map[string]string) *scan.Finder {
	t.Helper()
	var all []scan.Known
	for name, v := range values {
		all = append(all, scan.Known{Secret: "zvault://p/" + name, Fingerprint: p.Fingerprint(secret.Of(v))})
	}
	f, err := p.Finder(all)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// rulesOf lists the rules of findings.
func rulesOf(found []scan.Finding) []string {
	var all []string
	for _, f := range found {
		all = append(all, f.Rule)
	}
	return all
}

// places lists FILE:LINE:COLUMN RULE of findings.
func places(found []scan.Finding) string {
	var b strings.Builder
	for _, f := range found {
		b.WriteString(f.Fingerprint + "\n")
	}
	return b.String()
}
