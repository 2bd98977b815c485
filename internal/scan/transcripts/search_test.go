package transcripts_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	_ "modernc.org/sqlite"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/scan"
	"github.com/ArcadeLabsInc/zvault/internal/scan/transcripts"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

const (
	apiKey   = "sk_test_k3nQ9vTzL0aXw7RbY2mD"
	password = "correct horse\tbattery \"staple\""
)

func finder(t *testing.T) *scan.Finder {
	t.Helper()
	key, err := crypt.GenerateKey(1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := scan.NewPrinter(key)
	if err != nil {
		t.Fatal(err)
	}
	f, err := p.Finder([]scan.Known{
		{Secret: "zvault://app/API_KEY?env=production&version=2", Fingerprint: p.Fingerprint(secret.Of(apiKey))},
		{Secret: "zvault://app/PASSWORD?env=production&version=1", Fingerprint: p.Fingerprint(secret.Of(password))},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// write makes a file below dir, with a change time that is known.
func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600), os.Chtimes(path, changed, changed)); err != nil {
		t.Fatal(err)
	}
	return path
}

var changed = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll([]byte(text), nil)
}

func database(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	// A cell longer than a page is kept in pieces: the value must be found across them.
	long := strings.Repeat("x", 4000) + apiKey + strings.Repeat("y", 9000)
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{"PRAGMA page_size = 512", nil}, {`CREATE TABLE "Item ""Table""" (key TEXT, value BLOB)`, nil},
		{`INSERT INTO "Item ""Table""" VALUES ('a', ?), ('b', ?), ('c', NULL)`, []any{long, zipped(t, password)}},
	} {
		if _, err := db.Exec(q.sql, q.args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(db.Close(), os.Chtimes(path, changed, changed)); err != nil {
		t.Fatal(err)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	home, outside := t.TempDir(), t.TempDir()
	f := transcripts.Folders{Home: home, Config: filepath.Join(home, ".config"), Data: filepath.Join(home, ".local", "share")}
	write(t, home, ".claude/projects/-work-app/3f2a.jsonl", fmt.Appendf(nil,
		"{\"type\":\"user\",\"timestamp\":\"2026-03-04T05:06:07.089Z\"}\n{\"text\":\"export KEY=%s\",\"timestamp\":\"2026-03-04T05:06:08Z\"}\n{\"again\":%q,\"timestamp\":\"2026-03-03T00:00:00Z\"}\n", apiKey, apiKey))
	write(t, home, ".zsh_history", fmt.Appendf(nil, ": 1700000000:0;ls\n: 1700000060:0;curl -u %s\n", apiKey))
	write(t, home, ".bash_history", fmt.Appendf(nil, "echo %s | base64 -d\n", base64.StdEncoding.EncodeToString([]byte(password))))
	write(t, home, ".codex/sessions/2026/03/rollout.jsonl.gz", gzipped(t, "a\nb "+apiKey))
	write(t, home, ".codex/sessions/2026/03/large.jsonl", append(append(bytes.Repeat([]byte("0123456789abcde\n"), 1<<18), apiKey...), '\n')) // across the pieces
	write(t, home, ".gemini/tmp/x/logs.json", []byte(`{"text":"nothing"}`))
	database(t, filepath.Join(f.Config, "Cursor", "User", "globalStorage", "state.vscdb"))
	write(t, home, ".config/Code/User/workspaceStorage/1/state.vscdb", []byte("SQLite format 3\x00 and then nothing"))
	write(t, outside, "linked.jsonl", []byte(apiKey))
	if err := os.Symlink(filepath.Join(outside, "linked.jsonl"), filepath.Join(home, ".claude", "projects", "link.jsonl")); err != nil {
		t.Fatal(err)
	}
	var skipped []string
	s := transcripts.Search{Finder: finder(t), Skipped: func(path string, _ error) { skipped = append(skipped, path) }}
	found, err := s.Run(t.Context(), transcripts.Places(f, ""))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range found {
		path, err := filepath.Rel(home, g.Path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(strings.SplitN(g.Secret, "?", 2)[0], "zvault://app/")
		got = append(got, fmt.Sprintf("%s %s %s %s:%d%s %s %d %v", g.Since.Format(time.RFC3339), g.Program, name, filepath.ToSlash(path), g.Line, g.Place, g.Form, g.Times, g.Exact))
		if strings.Contains(fmt.Sprintf("%+v", g), apiKey) {
			t.Error("a sighting holds the value")
		}
	}
	want := []string{
		"2023-11-14T22:14:20Z zsh API_KEY .zsh_history:2 plain 1 true",
		"2026-03-03T00:00:00Z Claude Code API_KEY .claude/projects/-work-app/3f2a.jsonl:3 plain 2 true",
		"2026-05-06T07:08:09Z bash PASSWORD .bash_history:1 base64 1 false",
		"2026-05-06T07:08:09Z Codex API_KEY .codex/sessions/2026/03/large.jsonl:262145 plain 1 false",
		"2026-05-06T07:08:09Z Codex API_KEY .codex/sessions/2026/03/rollout.jsonl.gz:2 plain 1 false",
		"2026-05-06T07:08:09Z Cursor API_KEY .config/Cursor/User/globalStorage/state.vscdb:0Item \"Table\".value row 1 plain 1 false",
		"2026-05-06T07:08:09Z Cursor PASSWORD .config/Cursor/User/globalStorage/state.vscdb:0Item \"Table\".value row 2 plain 1 false",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("found:\n%s\nwant:\n%s", g, w)
	}
	if len(skipped) != 1 || !strings.HasSuffix(skipped[0], "state.vscdb") {
		t.Errorf("skipped %q, want the damaged database", skipped)
	}
}

func TestSearch_Ends(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for i := range 50 {
		write(t, home, fmt.Sprintf(".claude/projects/%d.jsonl", i), []byte(apiKey))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := transcripts.Search{Finder: finder(t)}
	if _, err := s.Run(ctx, transcripts.Places(transcripts.Folders{Home: home}, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}
