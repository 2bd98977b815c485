package scan_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/scan"
)

func TestRules_Corpus(t *testing.T) {
	t.Parallel()
	s := scannerOf(t, nil)
	for _, p := range corpus() {
		found := s.Bytes(p.file, []byte("first line\n  "+p.line()+"\nlast line\n"))
		if len(found) != 1 || found[0].Rule != p.rule {
			t.Errorf("%s: found %v", p.rule, rulesOf(found))
			continue
		}
		f := found[0]
		if f.File != p.file || f.Line != 2 || f.Column != len(p.before)+3 {
			t.Errorf("%s: in %s at %d:%d", p.rule, f.File, f.Line, f.Column)
		}
		if want := strings.TrimSpace(p.before + "[redacted]" + p.after); f.Excerpt != want && p.rule != "private-key" {
			t.Errorf("%s: excerpt %q; want %q", p.rule, f.Excerpt, want)
		}
		if f.Description == "" {
			t.Errorf("%s: no description", p.rule)
		}
	}
}

func TestRules_FileNames(t *testing.T) {
	t.Parallel()
	s := scannerOf(t, nil)
	if got := rulesOf(s.Bytes("certs/server.p12", []byte("\x30\x82\x00\x00"))); !slices.Equal(got, []string{"pkcs12-file"}) {
		t.Errorf("a key store: %v", got)
	}
	kubernetes := "kind: Secret\ndata:\n  password: " + letters(20, alnum, 32) + "\n"
	if got := rulesOf(s.Bytes("deploy.txt", []byte(kubernetes))); slices.Contains(got, "kubernetes-secret-yaml") {
		t.Errorf("a rule for YAML was used on text: %v", got)
	}
	if got := rulesOf(s.Bytes("deploy.yaml", []byte(kubernetes))); !slices.Contains(got, "kubernetes-secret-yaml") {
		t.Errorf("a rule for YAML was not used: %v", got)
	}
	for _, p := range corpus() {
		if got := s.Bytes("web/package-lock.json", []byte(p.line())); len(got) > 0 {
			t.Errorf("in an allowed file: %v", rulesOf(got))
		}
	}
}

func TestRules_Allowed(t *testing.T) {
	t.Parallel()
	s := scannerOf(t, nil)
	p := corpus()[0]
	for _, comment := range []string{" # zvault:allow", " // gitleaks:allow"} {
		content := p.line() + comment + "\n" + p.line() + "\n"
		if found := s.Bytes(p.file, []byte(content)); len(found) != 1 || found[0].Line != 2 {
			t.Errorf("with %q: %v", comment, places(found))
		}
	}
	for name, line := range map[string]string{
		"entropy": "gh" + "p_" + strings.Repeat("a", 36), "a stop word": `api_key = "abc-example-` + letters(8, hexes, 30) + `"`,
		"a rule's own list": "AK" + "IAIOSFODNN7" + "EXAMPLE", "a variable": `password = "${DATABASE_PASSWORD_1234}"`,
	} {
		if found := s.Bytes("a.txt", []byte(line)); len(found) > 0 {
			t.Errorf("%s: %v", name, rulesOf(found))
		}
	}
}

// What is no secret, in testdata/harmless, is not found.
func TestRules_Harmless(t *testing.T) {
	t.Parallel()
	s := scannerOf(t, nil)
	files, err := filepath.Glob("testdata/harmless/*")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if found := s.Bytes(filepath.Base(f), content); len(found) > 0 {
			t.Errorf("%s: %s", f, places(found))
		}
	}
}

// No finding holds a secret, however many stand beside each other.
func TestLaw_FindingsHoldNoSecret(t *testing.T) {
	t.Parallel()
	own := map[string]string{"A": "correct-horse-battery", "B": "x1y2z3w4v5-own-value"}
	s := scannerOf(t, newFinder(t, newPrinter(t), own))
	var pieces []specimen
	for _, p := range corpus() {
		if !strings.Contains(p.value, "\n") {
			pieces = append(pieces, p)
		}
	}
	for name, v := range own {
		pieces = append(pieces, specimen{scan.OwnRule, "", name + "=", v, ""})
	}
	rapid.Check(t, func(rt *rapid.T) {
		var text strings.Builder
		for range rapid.IntRange(1, 5).Draw(rt, "pieces") {
			text.WriteString(rapid.SampledFrom(pieces).Draw(rt, "piece").line())
			text.WriteString(rapid.StringMatching(`( |; |\n|é ){1,3}`).Draw(rt, "between"))
		}
		found := s.Bytes("a.conf", []byte(text.String()))
		if len(found) == 0 && strings.Contains(text.String(), own["A"]) {
			rt.Fatal("nothing found")
		}
		report, err := json.Marshal(found)
		if err != nil {
			rt.Fatal(err)
		}
		for _, p := range pieces {
			// A rule that needs white space behind a value may not see it; then it may stand in another's excerpt.
			seen := slices.Contains(rulesOf(found), p.rule) && strings.Count(text.String(), p.value) == 1
			if (seen || p.rule == scan.OwnRule) && strings.Contains(string(report), p.value) {
				rt.Fatalf("%s stands in %s", p.rule, report)
			}
		}
	})
}

func TestBytes_ExcerptIsPlain(t *testing.T) {
	t.Parallel()
	p := corpus()[0]
	found := scannerOf(t, nil).Bytes("a", []byte("\x1b[31mré\tsumé "+p.line()+" \x07"+strings.Repeat("é", 100)))
	if len(found) != 1 || found[0].Column != len("\x1b[31mr.\tsum. "+p.before)+1 {
		t.Fatalf("found %v", found)
	}
	if want := "[31mré sumé token: [redacted] " + strings.Repeat("é", 19); found[0].Excerpt != want {
		t.Errorf("excerpt %q; want %q", found[0].Excerpt, want)
	}
}

func TestBytes_UTF16(t *testing.T) {
	t.Parallel()
	s := scannerOf(t, newFinder(t, newPrinter(t), map[string]string{"A": "correct-horse-battery"}))
	p := corpus()[0]
	for _, order := range []int{0, 1} {
		content := []byte{0xff, 0xfe}
		if order == 1 {
			content = []byte{0xfe, 0xff}
		}
		for _, u := range utf16.Encode([]rune("one\n" + p.line() + "\ncorrect-horse-battery\n")) {
			pair := []byte{byte(u), byte(u >> 8)}
			if order == 1 {
				slices.Reverse(pair)
			}
			content = append(content, pair...)
		}
		if got, want := places(s.Bytes("f", content)), "f:github-pat:2\nf:zvault-value:3\n"; got != want {
			t.Errorf("found %q; want %q", got, want)
		}
	}
}

// In binary files only the vault's own values are found.
func TestBytes_Binary(t *testing.T) {
	t.Parallel()
	s := scannerOf(t, newFinder(t, newPrinter(t), map[string]string{"A": "correct-horse-battery"}))
	content := "\x7fELF\x00\x00 " + corpus()[0].line() + " correct-horse-battery\x00"
	if got, want := places(s.Bytes("f", []byte(content))), "f:zvault-value:1\n"; got != want {
		t.Errorf("found %q; want %q", got, want)
	}
}

func TestLaw_Keywords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(rapid.SliceOfN(rapid.StringMatching(`[abAB]{0,5}`), 0, 3), 1, 8).Draw(rt, "words")
		text := rapid.StringMatching(`[abAB]{0,12}`).Draw(rt, "text")
		for i, got := range scan.Mentioned(words, []byte(text)) {
			want := len(words[i]) == 0
			for _, w := range words[i] {
				want = want || len(w) < 2 || strings.Contains(strings.ToLower(text), strings.ToLower(w))
			}
			if got != want {
				rt.Fatalf("%q in %q: %v", words[i], text, got)
			}
		}
	})
}

func TestNew_Rules(t *testing.T) {
	t.Parallel()
	if n := scannerOf(t, nil).RuleCount(); n < 200 {
		t.Errorf("%d rules", n)
	}
}

func FuzzBytes_Names(f *testing.F) {
	s := scannerOf(f, newFinder(f, newPrinter(f), map[string]string{"A": "correct-horse-battery"}))
	for _, p := range corpus() {
		f.Add(p.file, []byte(p.line()))
	}
	f.Add("x", []byte("\xff\xfeA\x00"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		lines := strings.Count(string(content), "\n") + len(content)/2 // UTF-16 has some that are not seen here
		last := 0
		for _, found := range s.Bytes(name, content) {
			if found.Line < max(1, last) || found.Line > lines+1 || found.Column < 1 || found.Rule == "" || found.File != name {
				t.Fatalf("found %+v", found)
			}
			if strings.Contains(found.Excerpt, "correct-horse-battery") {
				t.Fatal("the excerpt holds a value")
			}
			last = found.Line
		}
	})
}

func BenchmarkBytes(b *testing.B) {
	values := map[string]string{}
	for i := range uint64(50) {
		values[letters(i, alnum, 8)] = letters(100+i, alnum, 32)
	}
	source, err := os.ReadFile("rules.go")
	if err != nil {
		b.Fatal(err)
	}
	content := []byte(strings.Repeat(string(source), 50))
	for name, s := range map[string]*scan.Scanner{"rules": scannerOf(b, nil), "rules and 50 values": scannerOf(b, newFinder(b, newPrinter(b), values))} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				s.Bytes("rules.go", content)
			}
		})
	}
}
