package setup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/editors"
	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
	"github.com/ArcadeLabsInc/zvault/internal/assistant/setup"
)

func target(path string) editors.Target {
	return editors.Target{Path: path, Purpose: editors.Server, Mode: 0o640, Edits: []patch.Edit{
		patch.Member{Key: "version", Value: "1", Any: true},
		patch.Member{Path: []string{"mcpServers"}, Key: "zvault", Value: `{"command":"zvault"}`},
		patch.Element{Path: []string{"hooks", "a"}, Value: `{"command":"zvault hook"}`},
	}}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// do plans, writes and notes.
func do(t *testing.T, r *setup.Record, path string) *setup.Change {
	t.Helper()
	c, err := setup.Plan(target(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(); err != nil {
		t.Fatal(err)
	}
	r.Added(c, "editor")
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	return c
}

// undo takes it out again, with the record as it is on disk.
func undo(t *testing.T, dir, path string) *setup.Change {
	t.Helper()
	r, err := setup.OpenRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := setup.Undo(target(path), r)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(); err != nil {
		t.Fatal(err)
	}
	r.Removed(c, "editor")
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	return c
}

func record(t *testing.T, dir string) *setup.Record {
	t.Helper()
	r, err := setup.OpenRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSetup_ToTheByte(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"{ }", "{\n  // mine\n  \"mcpServers\": { },\n}\n", `{"hooks":{"a":[]}}`, "\n", "{\"version\":2,\r\n\"x\":1}"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.json")
		write(t, path, before)
		c := do(t, record(t, dir), path)
		if c.Nothing() || c.Created {
			t.Errorf("%q: nothing was done", before)
		}
		if again := do(t, record(t, dir), path); !again.Nothing() {
			t.Errorf("%q: a second time", before)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the mode is %v: %v", info.Mode(), err)
		}
		undo(t, dir, path)
		if got := read(t, path); got != before {
			t.Errorf("%q became %q", before, got)
		}
		if _, err := os.Stat(filepath.Join(dir, setup.RecordFile)); !os.IsNotExist(err) {
			t.Error("the record stays", err)
		}
	}
}

func TestSetup_NewFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "deep", "er", "a.json")
	if c := do(t, record(t, dir), path); !c.Created {
		t.Error("not made")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
	if c := undo(t, dir, path); !c.Deleted {
		t.Error("not removed")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// Edits of the person stay, with a record and without one.
func TestSetup_EditedSince(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{true, false} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.json")
		do(t, record(t, dir), path)
		text := strings.Replace(read(t, path), `"mcpServers": {`, `"mcpServers": { // mine`+"\n\"other\": 1,", 1)
		write(t, path, text)
		if !keep {
			if err := os.Remove(filepath.Join(dir, setup.RecordFile)); err != nil {
				t.Fatal(err)
			}
		}
		undo(t, dir, path)
		got := read(t, path)
		if strings.Contains(got, "zvault") || !strings.Contains(got, "// mine") || !strings.Contains(got, `"other": 1`) || strings.Contains(got, "hooks") {
			t.Errorf("record %t: %s", keep, got)
		}
	}
}

func TestSetup_ChangedEntryIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.json")
	do(t, record(t, dir), path)
	write(t, path, strings.Replace(read(t, path), `"command": "zvault"`, `"command": "zvault", "env": {}`, 1))
	if again := do(t, record(t, dir), path); !again.Nothing() {
		t.Error("an entry with more to it is not enough")
	}
	c := undo(t, dir, path)
	if len(c.Kept) != 1 || !strings.Contains(read(t, path), `"env": {}`) {
		t.Errorf("%v: %s", c.Kept, read(t, path))
	}
}

func TestSetup_Links(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	path, real := filepath.Join(dir, "a.json"), filepath.Join(other, "b.json")
	write(t, real, "{}")
	if err := os.Symlink(real, path); err != nil {
		t.Fatal(err)
	}
	c, err := setup.Plan(target(path))
	if err != nil || !c.Outside(dir) || c.Outside(dir, other) {
		t.Errorf("%+v, %v", c, err)
	}
	do(t, record(t, dir), path)
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link is gone", err)
	}
	if !strings.Contains(read(t, real), "zvault") {
		t.Error("nothing was written where the link leads")
	}
	nowhere := filepath.Join(dir, "n.json")
	if err := os.Symlink(filepath.Join(dir, "missing"), nowhere); err != nil {
		t.Fatal(err)
	}
	if _, err := setup.Plan(target(nowhere)); err == nil {
		t.Error("a link to nowhere is followed")
	}
}

func TestChange_WriteMeanwhile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.json")
	write(t, path, "{}")
	c, err := setup.Plan(target(path))
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, `{"a":1}`)
	if err := c.Write(); err == nil || read(t, path) != `{"a":1}` {
		t.Errorf("%v: %s", err, read(t, path))
	}
}

// A diff shows what is added and nothing of what was there.
func TestChange_Diff(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.json")
	write(t, path, "{\n  \"mcpServers\": {\n    \"x\": {\"env\": {\"KEY\": \"hush-hush\"}}\n  }\n}\n")
	c, err := setup.Plan(target(path))
	if err != nil {
		t.Fatal(err)
	}
	diff := c.Diff()
	if strings.Contains(diff, "hush") || !strings.Contains(diff, "+    \"zvault\": {\n") || !strings.Contains(diff, "--- "+path) {
		t.Error(diff)
	}
}

func TestRecord_Malformed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", `{"version":9}`} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, setup.RecordFile), text)
		if _, err := setup.OpenRecord(dir); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}
