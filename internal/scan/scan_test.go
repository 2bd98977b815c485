package scan_test

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/scan"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const own = "correct-horse-battery-7"

func newScanner(t testing.TB) *scan.Scanner {
	t.Helper()
	key, err := crypt.GenerateKey(1)
	check(t, err)
	p, err := scan.NewPrinter(key)
	check(t, err)
	f, err := p.Finder([]scan.Known{{Secret: "zvault://app/KEY", Fingerprint: p.Fingerprint(secret.Of(own))}})
	check(t, err)
	s, err := scan.New(f)
	check(t, err)
	return s
}

// planted are secrets in files; they are put together here, so that this file holds none.
func planted() map[string]string {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // test data
	letters := func(n int) string {
		const from = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		b := make([]byte, n)
		for i := range b {
			b[i] = from[r.IntN(len(from))]
		}
		return string(b)
	}
	return map[string]string{
		"github-pat":          "token = \"ghp_" + letters(36) + "\"\n",
		"stripe-access-token": "key: sk_live_" + letters(24) + "\n",
		"private-key":         "-----BEGIN RSA PRIVATE KEY-----\n" + letters(64) + "\n" + letters(64) + "\n-----END RSA PRIVATE KEY-----\n",
		"slack-bot-token":     "slack = xoxb-" + "123456789012-123456789012-" + letters(24) + "\n",
	}
}

func TestBytes_Rules(t *testing.T) {
	t.Parallel()
	s := newScanner(t)
	for rule, content := range planted() {
		found := s.Bytes("config.txt", []byte("first line\n"+content))
		if len(found) == 0 || found[0].Rule != rule || found[0].Line != 2 {
			t.Errorf("%s: found %+v", rule, found)
			continue
		}
		text, err := json.Marshal(found)
		check(t, err)
		for word := range strings.FieldsSeq(strings.ReplaceAll(content, "\"", " ")) {
			if len(word) > 20 && strings.Contains(string(text), word) {
				t.Errorf("%s: the finding holds the secret", rule)
			}
		}
		allowed := strings.ReplaceAll(content, "\n", " zvault:allow\n")
		if rule != "private-key" && len(s.Bytes("config.txt", []byte(allowed))) != 0 {
			t.Errorf("%s: found though the line allows it", rule)
		}
	}
	for _, harmless := range []string{"password = os.Getenv(\"PASSWORD\")\n", "KEY=zvault://app/KEY\n", "sk_live_\n", "commit 0123456789abcdef0123456789abcdef01234567\n"} {
		if found := s.Bytes("main.go", []byte(harmless)); len(found) != 0 {
			t.Errorf("%q: found %+v", harmless, found)
		}
	}
}

func TestBytes_OwnValues(t *testing.T) {
	t.Parallel()
	s := newScanner(t)
	for name, content := range map[string]string{
		"plain": "x=" + own + ";", "base64": base64.StdEncoding.EncodeToString([]byte("zz" + own + "yy")), "allowed": own + " zvault:allow",
	} {
		found := s.Bytes("f", []byte("line\n"+content))
		if len(found) != 1 || found[0].Rule != scan.OwnRule || found[0].Secret != "zvault://app/KEY" || found[0].Line != 2 || strings.Contains(found[0].Excerpt, own) {
			t.Errorf("%s: found %+v", name, found)
		}
	}
	if found := s.Bytes("f", []byte(own[:len(own)-1]+"x")); len(found) != 0 {
		t.Errorf("most of a value: found %+v", found)
	}
	// Another key's fingerprints find nothing, and damaged ones are refused.
	key, err := crypt.GenerateKey(1)
	check(t, err)
	p, err := scan.NewPrinter(key)
	check(t, err)
	if _, err := p.Finder([]scan.Known{{Secret: "s", Fingerprint: []byte{9, 9}}}); err == nil {
		t.Error("a damaged fingerprint was taken")
	}
	if print := p.Fingerprint(secret.Of("true")); print != nil {
		t.Error("a common word has a fingerprint")
	}
}

func TestDir_And_Staged(t *testing.T) {
	t.Parallel()
	s := newScanner(t)
	dir := t.TempDir()
	write := func(name, content string) {
		check(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	git := func(args ...string) {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	write("b/leak.txt", own)
	write("a.txt", "nothing")
	write("node_modules/x/leak.txt", own)
	write("binary", "\x00"+own)
	found, err := s.Dir(t.Context(), dir)
	check(t, err)
	if len(found) != 2 || found[0].File != "b/leak.txt" || found[1].File != "binary" {
		t.Errorf("found %+v", found)
	}
	if _, err := s.Staged(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "not in a git repository") {
		t.Errorf("outside of a repository: %v", err)
	}
	git("init", "-q")
	git("add", "a.txt")
	found, err = s.Staged(t.Context(), dir)
	check(t, err)
	if len(found) != 0 {
		t.Errorf("staged without a secret: %+v", found)
	}
	git("add", "b/leak.txt")
	write("b/leak.txt", "removed from the tree, but staged")
	found, err = s.Staged(t.Context(), dir)
	check(t, err)
	if len(found) != 1 {
		t.Errorf("staged: %+v", found)
	}
	text, err := scan.SARIF(found, "1")
	check(t, err)
	var log struct {
		Version string
		Runs    []struct {
			Results []struct {
				RuleID    string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	check(t, json.Unmarshal(text, &log))
	if log.Version != "2.1.0" || log.Runs[0].Results[0].RuleID != scan.OwnRule || log.Runs[0].Results[0].Locations[0].PhysicalLocation.Region.StartLine != 1 {
		t.Errorf("SARIF %s", text)
	}
}

func FuzzBytes(f *testing.F) {
	f.Add([]byte("x=" + own))
	s := newScanner(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, found := range s.Bytes("f", content) {
			if strings.Contains(found.Excerpt, own) || found.Line < 1 || found.Column < 1 {
				t.Fatalf("a finding holds the value, or lies nowhere: %+v", found)
			}
		}
	})
}
