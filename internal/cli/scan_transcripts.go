package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/scan"
	"github.com/ArcadeLabsInc/zvault/internal/scan/transcripts"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// seen is a value of the vault in a history, and whether it is in use.
type seen struct {
	transcripts.Sighting
	// Current says that the value is the one in force: whoever has read the history can use it.
	Current bool `json:"current"`
	Canary  bool `json:"canary,omitempty"`

	address ref.Ref
}

// scanTranscripts looks through the histories on this machine for the vault's own values.
func (a *app) scanTranscripts(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return errors.New("--transcripts looks where programs keep their histories, and takes no path")
	}
	ctx := cmd.Context()
	own, err := a.finder(cmd, false)
	if err != nil {
		return err
	}
	if own == nil {
		return withHint(fmt.Errorf("scanning histories: %w", local.ErrNoVault), "there are no values to look for until the vault is there and unsealed")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return fmt.Errorf("finding the histories: %w", err)
	}
	search := transcripts.Search{Finder: own, Skipped: func(path string, err error) { a.warn("%s was not looked through: %v", path, err) }}
	found, err := search.Run(ctx, transcripts.Places(transcripts.FoldersOf(home, a.getenv), a.dir))
	if err != nil {
		return err
	}
	committed, err := a.committed(ctx, own)
	if err != nil {
		return err
	}
	all, err := a.weigh(ctx, append(found, committed...))
	if err != nil {
		return err
	}
	if err := a.alarm(ctx, all); err != nil {
		return err
	}
	if err := a.showSeen(all); err != nil {
		return err
	}
	if len(all) == 0 {
		a.say("nothing found")
		return nil
	}
	if err := a.replaceSeen(ctx, all); err != nil {
		return err
	}
	return &statusError{exitFailed}
}

// committed looks through the history of the git repository here, if this is one.
func (a *app) committed(ctx context.Context, own *scan.Finder) ([]transcripts.Sighting, error) {
	s, err := scan.New(own)
	if err != nil {
		return nil, err
	}
	found, err := s.History(ctx, a.dir)
	if errors.Is(err, scan.ErrNoRepository) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []transcripts.Sighting
	for _, f := range found {
		if f.Rule != scan.OwnRule {
			continue
		}
		at, author, err := scan.Commit(ctx, a.dir, f.Commit)
		if err != nil {
			return nil, err
		}
		all = append(all, transcripts.Sighting{
			Secret: f.Secret, Program: "git", Path: f.File, Line: f.Line, Form: "in a commit", Since: at, Exact: true, Session: f.Commit, Who: author, Times: 1,
		})
	}
	return all, nil
}

// weigh finds out which of the values are in use.
func (a *app) weigh(ctx context.Context, found []transcripts.Sighting) ([]seen, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	secrets := map[platform.Env]map[string]platform.Secret{}
	all := make([]seen, 0, len(found))
	for _, f := range found {
		address, err := ref.Parse(f.Secret)
		if err != nil {
			return nil, err
		}
		e := platform.Env{Project: address.Project, Slug: address.Env}
		if secrets[e] == nil {
			list, err := s.List(ctx, a.caller(), e, platform.Moment{})
			if err != nil && platform.KindOf(err) != platform.NotFound {
				return nil, err
			}
			secrets[e] = map[string]platform.Secret{}
			for _, one := range list {
				secrets[e][one.Name] = one
			}
		}
		one, there := secrets[e][address.Key]
		all = append(all, seen{
			Sighting: f, Current: there && one.Version == int64(address.Version), Canary: there && one.Tags[canaryTag] != "", address: address,
		})
	}
	return all, nil
}

// alarm writes into the audit log that canaries were seen.
func (a *app) alarm(ctx context.Context, all []seen) error {
	c := a.caller()
	for _, f := range all {
		if !f.Canary {
			continue
		}
		err := a.vault.Audit.Record(ctx, audit.Entry{
			Actor: c.Actor, Client: c.Client, Action: alarmAction, Project: f.address.Project, Environment: f.address.Env, Keys: []string{f.address.Key},
			Outcome: audit.OK, Reason: "a canary was seen in a history of " + strings.TrimSuffix(f.Program+" "+f.Who, " "),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *app) showSeen(all []seen) error {
	if a.json {
		return a.document(nonNil(all))
	}
	rows := make([][]string, len(all))
	for i, f := range all {
		where := f.Path
		switch {
		case f.Program == "git":
			where = f.Session[:min(12, len(f.Session))] + " " + where + ":" + strconv.Itoa(f.Line)
		case f.Line > 0:
			where += ":" + strconv.Itoa(f.Line)
		default:
			where += " " + f.Place
		}
		since := f.Since.Local().Format("2006-01-02 15:04")
		if !f.Exact {
			since = "by " + since
		}
		rows[i] = []string{since, strings.TrimSuffix(f.Program+" "+f.Who, " "), f.Secret, state(f), where + times(f.Times), f.Form}
	}
	return a.table([]string{"SINCE", "IN", "SECRET", "STATE", "WHERE", "AS"}, rows)
}

func state(f seen) string {
	switch {
	case f.Canary:
		return "CANARY: somebody has taken it"
	case f.Current:
		return "IN USE"
	}
	return "former"
}

func times(n int) string {
	if n > 1 {
		return fmt.Sprintf(" (%d times)", n)
	}
	return ""
}

// replaceSeen offers to replace the values that were seen and are in use; without a terminal it says how.
func (a *app) replaceSeen(ctx context.Context, all []seen) error {
	asked := map[platform.Env]map[string]bool{}
	for _, f := range all {
		if f.Canary {
			a.say("find out who took %s; `zvault secret canary %s --project %s --env %s` makes a new one", f.address.Key, f.address.Key, f.address.Project, f.address.Env)
		}
		e := platform.Env{Project: f.address.Project, Slug: f.address.Env}
		if !f.Current || f.Canary || asked[e][f.address.Key] {
			continue
		}
		if asked[e] == nil {
			asked[e] = map[string]bool{}
		}
		asked[e][f.address.Key] = true
		if err := a.offerReplacing(ctx, e, f.address.Key); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) offerReplacing(ctx context.Context, e platform.Env, name string) error {
	value, err := a.askSecret(fmt.Sprintf("%s (%s, %s) is in use and was seen. Its new value, from whoever issues it (empty: later)", name, e.Project, e.Slug))
	if errors.Is(err, errNoTerminal) {
		a.say("replace %s: zvault secret set %s --project %s --env %s", name, name, e.Project, e.Slug)
		return nil
	}
	if err != nil || strings.TrimSpace(string(value)) == "" {
		return err
	}
	v := secret.New(value)
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	return a.apply(ctx, s, e, platform.Batch{
		Changes: []platform.Change{{Name: name, Value: &v}}, Message: "replaced " + name + ", which was seen in a history",
	})
}
