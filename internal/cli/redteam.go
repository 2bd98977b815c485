package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/redteam"
)

// redteamFlags are what `redteam` can be told.
type redteamFlags struct {
	fronts, only        []string
	script, attacks, to string
}

func (a *app) redteamCommand() *cobra.Command {
	var f redteamFlags
	c := &cobra.Command{
		Use:   "redteam",
		Short: "Try to steal a made-up secret from behind each defence, and say what got out",
		Long: `Run scripted attacks of a talked-over assistant or a hostile program on this machine, each against a vault and a made-up secret of its own
in a temporary folder. Your vault is not touched. An attack leaks if the thief ends up with the value in any form; it is alarmed if nothing got out
and the audit log names the attempt.

The fronts are bare (the value in the environment and in .env: the control that shows that the attacks work), run, run-redact, mcp, shield and
shield-sandbox. With --front-script another product can be tried; docs/redteam.md has the format of attacks and scripts.

The exit status is 1 if something leaked that was not to be expected: behind mcp and shield-sandbox anything, behind shield what is not T9.`,
		Example: `  zvault redteam
  zvault redteam --front shield --front shield-sandbox --json
  zvault redteam --front bare --only send-body`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.redteam(cmd.Context(), f) },
	}
	c.Flags().StringArrayVar(&f.fronts, "front", nil, "what to attack (default: all)")
	c.Flags().StringArrayVar(&f.only, "only", nil, "only the attacks of this name or threat (T1 to T9)")
	c.Flags().StringVar(&f.script, "front-script", "", "attack another product, through this program")
	c.Flags().StringVar(&f.attacks, "attacks", "", "attacks of this file in the place of those that are built in")
	c.Flags().StringVar(&f.to, "svg", "", "also draw the table into this file")
	complete(c, "front", names(redteam.Fronts())...)
	return c
}

func names(fronts []redteam.Front) []string {
	all := make([]string, len(fronts))
	for i, f := range fronts {
		all[i] = string(f)
	}
	return all
}

func (a *app) redteam(ctx context.Context, f redteamFlags) error {
	attacks, err := f.choose()
	if err != nil {
		return err
	}
	fronts, err := f.against()
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	board := redteam.Board{Fronts: fronts, Attacks: attacks}
	for _, front := range fronts {
		a.say("%s: %s", front, count(len(attacks), "attack"))
		results, err := redteam.Play(ctx, redteam.Options{Front: front, Program: program, Script: f.script, Env: a.passedToAttacks()}, attacks)
		if err != nil {
			return err
		}
		board.Results = append(board.Results, results)
	}
	if f.to != "" {
		if err := os.WriteFile(f.to, board.SVG(), 0o644); err != nil { //nolint:gosec // a picture for everybody
			return fmt.Errorf("drawing the table: %w", err)
		}
	}
	if err := a.showBoard(board); err != nil {
		return err
	}
	if leaks := board.Unexpected(); len(leaks) > 0 {
		return &exitError{fmt.Errorf("leaked and was not to: %s", strings.Join(leaks, ", ")), exitFailed}
	}
	return nil
}

// choose reads the attacks.
func (f redteamFlags) choose() (all []redteam.Attack, err error) {
	if f.attacks == "" {
		all, err = redteam.Attacks()
	} else {
		var data []byte
		if data, err = os.ReadFile(f.attacks); err == nil {
			all, err = redteam.Parse(data)
		}
		if err != nil {
			err = fmt.Errorf("reading %s: %w", f.attacks, err)
		}
	}
	if err != nil || len(f.only) == 0 {
		return all, err
	}
	all = slices.DeleteFunc(all, func(x redteam.Attack) bool {
		return !slices.Contains(f.only, x.Name) && !slices.Contains(f.only, x.Threat)
	})
	if len(all) == 0 {
		return nil, usage("there is no attack %s; docs/redteam.md lists them", strings.Join(f.only, ", "))
	}
	return all, nil
}

// against are the fronts to attack.
func (f redteamFlags) against() ([]redteam.Front, error) {
	if f.script != "" {
		if len(f.fronts) > 0 {
			return nil, usage("--front and --front-script exclude each other")
		}
		return []redteam.Front{redteam.Script}, nil
	}
	if len(f.fronts) == 0 {
		return redteam.Fronts(), nil
	}
	var all []redteam.Front
	for _, name := range f.fronts {
		if !slices.Contains(redteam.Fronts(), redteam.Front(name)) {
			return nil, withHint(usage("there is no front %q", name), "choose from %s", strings.Join(names(redteam.Fronts()), ", "))
		}
		all = append(all, redteam.Front(name))
	}
	return all, nil
}

// passedToAttacks is what is left of this process's environment. Nothing of the person's own vault is among it.
func (a *app) passedToAttacks() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return strings.HasPrefix(name, "ZVAULT_") && !strings.HasPrefix(name, "ZVAULT_TEST_") || name == "DBUS_SESSION_BUS_ADDRESS" || name == "CI"
	})
}

func (a *app) showBoard(b redteam.Board) error {
	if a.json {
		if len(b.Fronts) == 1 {
			return a.document(map[string]any{"front": b.Fronts[0], "attacks": b.Results[0]})
		}
		all := map[string]any{}
		for i, f := range b.Fronts {
			all[string(f)] = map[string]any{"attacks": b.Results[i]}
		}
		return a.document(map[string]any{"fronts": all})
	}
	var rows [][]string
	for i, x := range b.Attacks {
		row := []string{x.Threat, x.Name}
		for _, results := range b.Results {
			row = append(row, string(results[i].Result))
		}
		rows = append(rows, row)
	}
	total := []string{"", "leaked"}
	for i := range b.Fronts {
		leaked, tried := b.Count(i)
		total = append(total, fmt.Sprintf("%d of %d", leaked, tried))
	}
	return a.table(append([]string{"", "ATTACK"}, upper(names(b.Fronts))...), append(rows, total))
}

func upper(all []string) []string {
	for i := range all {
		all[i] = strings.ToUpper(all[i])
	}
	return all
}
