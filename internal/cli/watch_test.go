package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// newWatcher watches KEY of app/development in a vault that other processes change.
func newWatcher(t *testing.T, v vault, f runFlags) (*watcher, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	getenv := func(name string) string { return map[string]string{"ZVAULT_HOME": v.home, "USER": "tester"}[name] }
	a := &app{streams: streams{out: io.Discard, err: &said}, getenv: getenv, dir: t.TempDir()}
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	f.only, f.override = []string{"KEY"}, true
	w := &watcher{app: a, scope: platform.Env{Project: "app", Slug: "development"}, flags: f, mask: &latestMask{}}
	w.seen = w.stamp(t.Context(), f)
	env, err := w.fresh(t.Context())
	if err != nil || w.seen == "" {
		t.Fatalf("stamp %q, %v", w.seen, err)
	}
	w.running = env
	return w, &said
}

// keyIn returns the KEY of an environment, and whether there is an environment at all.
func keyIn(env []string) string {
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, "KEY="); ok {
			return value
		}
	}
	if env != nil {
		return "(an environment without KEY)"
	}
	return ""
}

// The program is to start again when a value of its own changes, and for nothing else.
func TestWatcher_Look(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	v.must(t, "one", "secret", "set", "KEY")
	v.must(t, "", "project", "create", "shop")
	file := filepath.Join(t.TempDir(), "refs")
	writeRefs := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeRefs("KEY=zvault://KEY\n")
	w, said := newWatcher(t, v, runFlags{file: file})
	steps := []struct {
		name, stdin string
		args        []string
		want        string // KEY of the new environment; empty if there is to be none
		complaints  int    // in all so far
	}{
		{"nothing", "", []string{"status"}, "", 0},
		{"another environment", "far", []string{"secret", "set", "KEY", "--env", "staging"}, "", 0},
		{"another project", "far", []string{"secret", "set", "KEY", "--project", "shop"}, "", 0},
		{"another name", "x", []string{"secret", "set", "OTHER"}, "", 0},
		{"a comment", "", []string{"secret", "describe", "KEY", "--comment", "new"}, "", 0},
		{"the value", "two", []string{"secret", "set", "KEY"}, "two", 0},
		{"the same value again", "two", []string{"secret", "set", "KEY"}, "", 0},
		{"a reference", "<${zvault://OTHER}>", []string{"secret", "set", "KEY"}, "<x>", 0},
		{"what it refers to", "y", []string{"secret", "set", "OTHER"}, "<y>", 0},
		{"what it refers to goes", "", []string{"secret", "delete", "OTHER", "--yes"}, "", 1},
		{"something else meanwhile", "z", []string{"secret", "set", "THIRD"}, "", 1},
		{"what it refers to is back", "y", []string{"secret", "set", "OTHER"}, "", 1},
		{"and is another", "z", []string{"secret", "set", "OTHER"}, "<z>", 1},
	}
	for _, s := range steps {
		v.must(t, s.stdin, s.args...)
		if got := keyIn(w.look(t.Context())); got != s.want {
			t.Errorf("%s: started again with %q; want %q", s.name, got, s.want)
		}
		if env := w.look(t.Context()); env != nil {
			t.Errorf("%s: started again twice", s.name)
		}
		if n := strings.Count(said.String(), "cannot be used"); n != s.complaints {
			t.Errorf("%s: %d complaints; want %d", s.name, n, s.complaints)
		}
	}
	writeRefs("KEY=by file ${zvault://OTHER}\n")
	if got := keyIn(w.look(t.Context())); got != "by file z" {
		t.Errorf("the file has changed: %q", got)
	}
}

// What is watched is masked with the new values and the old ones.
func TestWatcher_Masks(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	v.must(t, "correct-horse-battery", "secret", "set", "KEY")
	w, _ := newWatcher(t, v, runFlags{redact: true})
	v.must(t, "staple-of-the-day", "secret", "set", "KEY")
	if w.look(t.Context()) == nil {
		t.Fatal("not started again")
	}
	var out bytes.Buffer
	m := w.mask.writer(&out)
	_, err := io.WriteString(m, "correct-horse-battery staple-of-the-day\n")
	if err = firstError(err, m.Close()); err != nil || out.String() != "[redacted:KEY] [redacted:KEY]\n" {
		t.Errorf("%v, or a value was printed", err)
	}
}

func firstError(all ...error) error {
	if i := slices.IndexFunc(all, func(err error) bool { return err != nil }); i >= 0 {
		return all[i]
	}
	return nil
}

// Ticks lead to restarts, and the end of the context to the end.
func TestWatcher_Watch(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	v.must(t, "one", "secret", "set", "KEY")
	w, _ := newWatcher(t, v, runFlags{})
	ctx, cancel := context.WithCancel(t.Context())
	tick, restart, ended := make(chan time.Time), make(chan []string), make(chan struct{})
	go func() { defer close(ended); w.watch(ctx, tick, restart) }()
	// next waits until a tick is taken, which means that the one before is done with, or until the program is to start again.
	next := func() []string {
		select {
		case tick <- time.Time{}:
			return nil
		case env := <-restart:
			return env
		}
	}
	v.must(t, "far", "secret", "set", "KEY", "--env", "staging")
	for range 3 {
		if env := next(); env != nil {
			t.Fatalf("started again for another environment, with %q", keyIn(env))
		}
	}
	v.must(t, "two", "secret", "set", "KEY")
	env := next()
	for env == nil {
		env = next()
	}
	if got := keyIn(env); got != "two" {
		t.Errorf("started again with %q", got)
	}
	cancel()
	<-ended
}
