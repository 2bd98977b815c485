package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/editors"
	"github.com/ArcadeLabsInc/zvault/internal/assistant/patch"
	"github.com/ArcadeLabsInc/zvault/internal/assistant/setup"
	"github.com/ArcadeLabsInc/zvault/internal/nearest"
	"github.com/ArcadeLabsInc/zvault/internal/workspace"
)

// setupFlags are what `setup` can be told.
type setupFlags struct {
	user, dryRun, undo, check, noGit bool
}

// setupLine is what is said about one file.
type setupLine struct {
	File    string   `json:"file"`
	For     string   `json:"for"`
	State   string   `json:"state"`
	Entries []string `json:"entries,omitempty"`
	Diff    string   `json:"diff,omitempty"`
}

func (a *app) setupCommand() *cobra.Command {
	var f setupFlags
	ids := editors.IDs()
	c := &cobra.Command{
		Use:   "setup EDITOR",
		Short: "Set an editor and its assistant up for zvault, and away from the secrets",
		Long: `Set an editor up: its assistant gets zvault's MCP server, which does everything with secrets except show them; files like .env are put
on its ignore list; and where it asks hooks, ` + "`zvault hook`" + ` is asked before it reads, runs or sends something. In a git repository a
pre-commit hook keeps stored values out of commits; one that is there already is kept and runs afterwards.

Editors: ` + strings.Join(ids, ", ") + `.

Existing files keep their comments, order and form; what was there already stays. --undo takes out what was added and nothing else.
--check says what is missing, with exit status 1. --dry-run shows the lines that would be added.`,
		Example: `  zvault setup cursor
  zvault setup claude-code --user
  zvault setup codex --dry-run
  zvault setup cursor --undo`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: ids,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, ok := editors.Find(args[0])
			if !ok {
				err := usage("there is no editor %q", args[0])
				if near, ok := nearest.Of(args[0], ids); ok {
					return withHint(err, "did you mean `zvault setup %s`?", near)
				}
				return withHint(err, "there are %s", strings.Join(ids, ", "))
			}
			return a.setUp(cmd.Context(), e, f)
		},
	}
	c.Flags().BoolVar(&f.user, "user", false, "for all your projects, not for this one")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would change and stop")
	c.Flags().BoolVar(&f.undo, "undo", false, "take out what was added")
	c.Flags().BoolVar(&f.check, "check", false, "say what is missing; exit status 1 if anything is")
	c.Flags().BoolVar(&f.noGit, "no-git", false, "leave git's hooks alone")
	c.MarkFlagsMutuallyExclusive("undo", "check")
	c.MarkFlagsMutuallyExclusive("dry-run", "check")
	return c
}

// places are the folders of settings, as this process sees them.
func (a *app) places() (editors.Places, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return editors.Places{}, fmt.Errorf("finding your folder: %w", err)
	}
	p := editors.Places{GOOS: runtime.GOOS, Home: home, Project: a.dir, Getenv: a.getenv}
	w, err := workspace.Find(a.dir)
	switch {
	case err == nil:
		p.Project = w.Root
	case !errors.Is(err, workspace.ErrNone):
		return p, &usageError{err}
	}
	return p, nil
}

func (a *app) setUp(ctx context.Context, e editors.Editor, f setupFlags) error {
	p, err := a.places()
	if err != nil {
		return err
	}
	targets, err := a.setupTargets(ctx, e, p, f)
	if err != nil {
		return err
	}
	home, err := a.home()
	if err != nil {
		return err
	}
	record, err := setup.OpenRecord(home)
	if err != nil {
		return err
	}
	changes, err := a.plan(e, targets, record, f)
	if err != nil {
		return err
	}
	if !f.dryRun && !f.check {
		if err := a.permitOutside(changes, p); err != nil {
			return err
		}
		if err := apply(changes, record, e.ID, f.undo); err != nil {
			return err
		}
	}
	return a.reportSetup(e, changes, record, f)
}

// setupTargets are the files of an editor and git's hook.
func (a *app) setupTargets(ctx context.Context, e editors.Editor, p editors.Places, f setupFlags) ([]editors.Target, error) {
	targets := e.Targets(p, f.user)
	if len(targets) == 0 {
		return nil, usage("%s has no settings for all your projects; leave --user out", e.ID)
	}
	if f.user || f.noGit {
		return targets, nil
	}
	hook, err := editors.PreCommit(ctx, p.Project)
	if errors.Is(err, editors.ErrElsewhere) {
		a.warn("%v: it is left alone; call `zvault hook pre-commit` from there", err)
		return targets, nil
	}
	if hook != nil {
		targets = append(targets, *hook)
	}
	return targets, err
}

// plan works all files out before any is written.
func (a *app) plan(e editors.Editor, targets []editors.Target, record *setup.Record, f setupFlags) ([]*setup.Change, error) {
	var changes []*setup.Change
	for _, t := range targets {
		if !f.undo {
			c, err := setup.Plan(t)
			if errors.Is(err, patch.ErrTaken) {
				err = withHint(err, "nothing was changed; look at the file, and take out what is in the way")
			}
			if err != nil {
				return nil, err
			}
			changes = append(changes, c)
			continue
		}
		c, err := setup.Undo(t, record)
		if err != nil {
			return nil, err
		}
		if others := record.Others(c, e.ID); len(others) > 0 {
			a.say("%s stays: it is set up for %s too", a.shorten(c.Path), strings.Join(others, ", "))
			record.Removed(c, e.ID)
			continue
		}
		for _, kept := range c.Kept {
			a.warn("%v", kept)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// permitOutside asks before a link is followed out of the project and the person's folder.
func (a *app) permitOutside(changes []*setup.Change, p editors.Places) error {
	for _, c := range changes {
		folders := []string{p.Project, p.Home}
		if c.Purpose == editors.Commit || c.Nothing() || !c.Outside(folders...) {
			continue
		}
		if c.Real == c.Path { // where its own variables put it
			continue
		}
		ok, err := a.confirm(fmt.Sprintf("%s is a link to %s, outside of this project and your folder. Change that file?", c.Path, c.Real))
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%s: left alone", c.Path)
		}
	}
	return nil
}

// apply writes the changes and notes them as they are done.
func apply(changes []*setup.Change, record *setup.Record, editor string, undo bool) error {
	for _, c := range changes {
		if err := c.Write(); err != nil {
			return errors.Join(err, record.Save())
		}
		if undo {
			record.Removed(c, editor)
		} else {
			record.Added(c, editor)
		}
	}
	return record.Save()
}

// state says in a word what is or was done to a file.
func (f setupFlags) state(c *setup.Change) string {
	switch {
	case f.undo && len(c.Kept) > 0 && c.Nothing():
		return "kept"
	case f.undo && c.Nothing():
		return "absent"
	case c.Nothing():
		return "present"
	case f.check:
		return "missing"
	case f.dryRun:
		return "would change"
	case f.undo:
		return "removed"
	case c.Created:
		return "created"
	}
	return "changed"
}

func (a *app) reportSetup(e editors.Editor, changes []*setup.Change, _ *setup.Record, f setupFlags) error {
	lines := []setupLine{}
	var rows [][]string
	missing := false
	for _, c := range changes {
		line := setupLine{File: c.Path, For: string(c.Purpose), State: f.state(c), Entries: slices.Clone(c.Names)}
		if f.dryRun {
			line.Diff = c.Diff()
		}
		missing = missing || !c.Nothing()
		lines = append(lines, line)
		rows = append(rows, []string{line.State, line.For, a.shorten(c.Path)})
	}
	switch {
	case a.json:
		if err := a.document(lines); err != nil {
			return err
		}
	case f.dryRun:
		for _, l := range lines {
			if err := a.data("%s", l.Diff); err != nil {
				return err
			}
		}
	default:
		if err := a.table(nil, rows); err != nil {
			return err
		}
	}
	if f.check && missing {
		a.say("`zvault setup %s` adds what is missing", e.ID)
		return &statusError{exitFailed}
	}
	if !f.check && !f.undo && !f.dryRun {
		if _, err := exec.LookPath("zvault"); err != nil {
			a.warn("zvault is not on the PATH, where %s will look for it", e.Title)
		}
		a.say("%s takes it up when it is started again", e.Title)
	}
	return nil
}
