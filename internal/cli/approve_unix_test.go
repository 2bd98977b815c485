//go:build unix

package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// TestApproveScripts has an assistant ask, and a person answer at a terminal.
func TestApproveScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/approve",
		Setup: func(e *testscript.Env) error {
			e.Setenv("ZVAULT_HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("ZVAULT_PROJECT", "shop")
			e.Setenv("USER", "tester")
			e.Setenv("CI", "")
			e.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"assistant": assistant, "status": wantStatus},
	})
}

// assistant tries, as an assistant of a name, to send STRIPE_KEY to a host, and expects an outcome: allowed, pending or denied.
// The id of a pending request is in $ID afterwards, that of the session in $SESSION.
//
//	assistant NAME OUTCOME HOST
func assistant(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: assistant NAME OUTCOME HOST")
	}
	v, err := openHome(context.Background(), ts.Getenv("ZVAULT_HOME"), ts.MkAbs("phrase"))
	ts.Check(err)
	defer func() { ts.Check(v.Close()) }()
	sessionFile := ts.MkAbs("session-" + args[0])
	a := grant.Asker{Person: "tester", Client: args[0], Version: "1.2", Face: audit.MCP, PID: 42}
	store := grant.NewStore(v.Barrier, nil)
	if known, err := os.ReadFile(sessionFile); err == nil {
		a.Session = string(known)
	} else {
		a.Session, err = store.Begin(context.Background(), a)
		ts.Check(err)
		ts.Check(os.WriteFile(sessionFile, []byte(a.Session), 0o600))
	}
	ts.Setenv("SESSION", a.Session)
	outcome, id := try(grant.NewGate(store, a, v.Audit, grant.GateOptions{}), args[2])
	if outcome != args[1] {
		ts.Fatalf("the use is %s, want %s", outcome, args[1])
	}
	if id != "" {
		ts.Setenv("ID", id)
	}
}

func openHome(ctx context.Context, home, phrase string) (*local.Vault, error) {
	return local.Open(ctx, home, local.Options{
		Passphrase: func(string) ([]byte, error) {
			b, err := os.ReadFile(phrase)
			return []byte(strings.TrimSpace(string(b))), err
		},
		Caller: platform.Caller{Actor: audit.Actor{Kind: audit.Assistant, ID: "tester", Name: "tester"}, Client: audit.Client{Kind: audit.MCP, Name: "test"}},
	})
}

// try asks a gate, and returns what came of it and the id of what waits.
func try(g grant.Gate, host string) (outcome, id string) {
	err := g.Authorize(context.Background(), grant.Use{
		Project: "shop", Env: "development", Secrets: []string{"STRIPE_KEY"}, Tool: "http_request", Scheme: "https", Host: host, Method: "POST",
		Path: "/v1/charges", In: map[string]string{"STRIPE_KEY": "header:authorization"}, Body: grant.BodyHash([]byte("amount=1")),
	})
	var denied *grant.DeniedError
	switch {
	case err == nil:
		return "allowed", ""
	case errors.As(err, &denied) && denied.Pending != "":
		return "pending", denied.Pending
	case denied != nil:
		return "denied", ""
	}
	return err.Error(), ""
}

// A person at a terminal of their own answers requests as they come.
func TestApprove_Watch(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	v.must(t, "value", "secret", "set", "STRIPE_KEY")
	opened, err := openHome(t.Context(), v.home, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}()
	store := grant.NewStore(opened.Barrier, nil)
	a := grant.Asker{Person: "tester", Client: "claude-code", Face: audit.MCP}
	if a.Session, err = store.Begin(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	g := grant.NewGate(store, a, opened.Audit, grant.GateOptions{})

	cmd := v.command("", "approve", "--watch")
	cmd.Stdin = nil
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	read(t, tty, "waiting for requests")
	for _, host := range []string{"api.stripe.com", "other.example.com"} {
		if got, _ := try(g, host); got != "pending" {
			t.Fatalf("%s: %s", host, got)
		}
		seen := read(t, tty, "approve?")
		if !strings.Contains(seen, "https://"+host+":443/v1/charges") || !strings.Contains(seen, "tester → claude-code") {
			t.Errorf("the terminal shows %q", seen)
		}
		answer := "maybe\n"
		if _, err := tty.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		read(t, tty, "there is no answer maybe")
		if host == "api.stripe.com" {
			_, err = tty.WriteString("once\n")
			read(t, tty, "approved: once")
		} else {
			_, err = tty.WriteString("d\n")
			read(t, tty, "refused")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := try(g, "api.stripe.com"); got != "allowed" {
		t.Errorf("after the approval: %s", got)
	}
	if got, _ := try(g, "other.example.com"); got != "denied" {
		t.Errorf("after the refusal: %s", got)
	}
	if _, err := tty.Write([]byte{3}); err != nil { // Ctrl-C
		t.Fatal(err)
	}
	var failed *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &failed) || failed != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if err := tty.Close(); err != nil {
		t.Error(err)
	}
}

// read reads from a terminal until a text comes, and returns what came before.
func read(t *testing.T, tty *os.File, text string) string {
	t.Helper()
	var seen strings.Builder
	one := make([]byte, 1)
	for !strings.HasSuffix(seen.String(), text) {
		n, err := tty.Read(one)
		seen.Write(one[:n])
		if err != nil {
			t.Fatalf("%q never came, but %q: %v", text, seen.String(), err)
		}
	}
	return seen.String()
}
