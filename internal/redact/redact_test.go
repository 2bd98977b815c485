package redact_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func TestMatcher_Skipped(t *testing.T) {
	t.Parallel()
	plain := []string{
		"true", "", "tiny5", "5432", "1234567", "localhost", "Production", "http://localhost:3000", "https://127.0.0.1/", "postgres",
		"localhost:5432", "--------", "********************", "us-east-1", "UTF-8",
	}
	kept := []string{"hunter2x", "12345678", "s3cr3t", "http://localhost:3000/token", "production-key", "passwords"}
	m := matcher(t, append(plain, kept...)...)
	var want []string
	for i := range plain {
		want = append(want, fmt.Sprintf("S%d", i))
	}
	if diff := cmp.Diff(want, m.Skipped()); diff != "" {
		t.Errorf("skipped: %s", diff)
	}
	for _, v := range plain {
		if out := m.String(v); out != v {
			t.Errorf("%q becomes %q", v, out)
		}
	}
	for i, v := range kept {
		if out, want := m.String(v), fmt.Sprintf("[redacted:S%d]", i+len(plain)); out != want {
			t.Errorf("%q becomes %q; want %q", v, out, want)
		}
	}
	if got := matcher(t).String("anything"); got != "anything" {
		t.Errorf("without secrets: %q", got)
	}
}

func TestSecret_Force(t *testing.T) {
	t.Parallel()
	m, err := redact.New([]redact.Secret{
		{Name: "PIN", Value: secret.Of("4711"), Force: true}, {Name: "ENV", Value: secret.Of("production"), Force: true},
		{Name: "TINY", Value: secret.Of("abc"), Force: true}, {Name: "DB", Value: secret.Of("postgres")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.String("4711 34373131 production abc postgres"), "[redacted:PIN] [redacted:PIN] [redacted:ENV] abc postgres"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	if diff := cmp.Diff([]string{"TINY", "DB"}, m.Skipped()); diff != "" {
		t.Error(diff)
	}
}

func TestWithMask(t *testing.T) {
	t.Parallel()
	secrets := []redact.Secret{{Name: "A", Value: secret.Of("swordfish-9")}}
	m, err := redact.New(secrets, redact.WithMask(func(name string) string { return "***" }))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.String("swordfish-9"); got != "***" {
		t.Errorf("got %q", got)
	}
	if _, err := redact.New(secrets, redact.WithMask(nil)); !errors.Is(err, redact.ErrNoMask) {
		t.Errorf("without a function: %v", err)
	}
}

func TestMatcher_Find(t *testing.T) {
	t.Parallel()
	got := matcher(t, "swordfish-9", "fish-9-and-chips").Find([]byte("a swordfish-9-and-chips 73776f7264666973682d39"))
	want := []redact.Match{
		{Start: 2, End: 13, Name: "S0", Encoding: redact.Plain}, {Start: 7, End: 23, Name: "S1", Encoding: redact.Plain},
		{Start: 24, End: 46, Name: "S0", Encoding: redact.Hex},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEncoding_String(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(redact.Plain, redact.UTF16, redact.Line, redact.Encoding(200)); got != "plain utf-16 line encoding 200" {
		t.Errorf("got %q", got)
	}
}

// What no secret starts with is written at once when flushed; the beginning of one is not.
func TestWriter_Flush(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := matcher(t, "swordfish-9", "swordfish-9-and-more").Writer(&out)
	step := func(in, want string) {
		t.Helper()
		if _, err := w.Write([]byte(in)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("after %q: %q; want %q", in, out.String(), want)
		}
	}
	step("Password? ", "Password? ")
	step("sword", "Password? ")
	step("play", "Password? swordplay")
	step(" swordfish-", "Password? swordplay ")
	step("9", "Password? swordplay ")
	step("!", "Password? swordplay [redacted:S0]!")
	step("swordfish-9", "Password? swordplay [redacted:S0]!")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if want := "Password? swordplay [redacted:S0]![redacted:S0]"; out.String() != want {
		t.Errorf("closed: %q; want %q", out.String(), want)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, redact.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

var errBroken = errors.New("broken")

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestWriter_Error(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		behind writerFunc
		want   error
	}{
		{func([]byte) (int, error) { return 0, errBroken }, errBroken},
		{func(b []byte) (int, error) { return len(b) - 1, nil }, io.ErrShortWrite},
	} {
		for _, m := range []*redact.Matcher{matcher(t, "swordfish-9"), matcher(t)} {
			w := m.Writer(c.behind)
			if _, err := io.WriteString(w, strings.Repeat("x", 1000)); !errors.Is(err, c.want) {
				t.Errorf("writing: %v; want %v", err, c.want)
			}
			if err := w.Flush(); !errors.Is(err, c.want) {
				t.Errorf("flushing: %v; want %v", err, c.want)
			}
			if err := w.Close(); !errors.Is(err, c.want) {
				t.Errorf("closing: %v; want %v", err, c.want)
			}
		}
	}
}
