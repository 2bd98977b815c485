package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/redteam"
)

func redteamOptions(t *testing.T, front redteam.Front) redteam.Options {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	env := append((&app{}).passedToAttacks(), asMain+"=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
	return redteam.Options{Front: front, Program: program, Env: env}
}

// Every attack of the red team against every front. The bare process shows that the attacks work.
func TestRedteam(t *testing.T) {
	t.Parallel()
	attacks, err := redteam.Attacks()
	if err != nil {
		t.Fatal(err)
	}
	if len(attacks) < 60 {
		t.Fatalf("there are %d attacks", len(attacks))
	}
	board := redteam.Board{Fronts: redteam.Fronts(), Attacks: attacks}
	for _, front := range board.Fronts {
		results, err := redteam.Play(t.Context(), redteamOptions(t, front), attacks)
		if err != nil {
			t.Fatalf("%s: %v", front, err)
		}
		board.Results = append(board.Results, results)
	}
	for i, front := range board.Fronts {
		leaked, tried := board.Count(i)
		switch {
		case front == redteam.Bare && leaked*10 < tried*9:
			t.Errorf("only %d of %d attacks work where nothing is in their way", leaked, tried)
		case tried*10 < len(attacks)*9:
			t.Errorf("%s: only %d of %d attacks are tried", front, tried, len(attacks))
		}
		for _, r := range board.Results[i] {
			if shielded := front == redteam.MCP || front == redteam.Shield || front == redteam.ShieldSandbox; shielded && r.Threat == "T6" && !r.Used {
				t.Errorf("%s/%s holds because the secret could not be used at all", front, r.Name)
			}
		}
	}
	if leaks := board.Unexpected(); len(leaks) > 0 {
		t.Errorf("leaked: %v", leaks)
	}
}

// Another product is attacked through a script; this one defends nothing.
func TestRedteam_Script(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "front")
	text := "#!/bin/sh\n[ -n \"$ALLOWED\" ] || exit 1\nexec env \"$NAME=$(cat \"$VALUE_FILE\")\" \"$@\"\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	attacks, err := redteam.Parse([]byte(`[{"name":"print","threat":"T2","about":"prints it","run":"printenv TARGET | tr a-z b-za","decode":"tr b-za a-z"},
		{"name":"nothing","threat":"T2","about":"does nothing","run":"true"}]`))
	if err != nil {
		t.Fatal(err)
	}
	o := redteamOptions(t, redteam.Script)
	o.Script = script
	results, err := redteam.Play(t.Context(), o, attacks)
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Result != redteam.Leaked || results[1].Result != redteam.Blocked {
		t.Errorf("the results are %+v", results)
	}
	o.Script = filepath.Join(t.TempDir(), "nothing")
	if _, err := redteam.Play(t.Context(), o, attacks); err == nil {
		t.Error("a script that is not there is attacked")
	}
}
