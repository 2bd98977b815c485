package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

func (a *app) secretCommand() *cobra.Command {
	c := group("secret", "Set, get and look after secrets", `Set, get and look after the secrets of an environment. Values come from a prompt or from stdin, never from the
command line, where other programs and the shell's history could see them.`,
		a.secretSetCommand(), a.secretGetCommand(), a.secretListCommand(), a.secretDeleteCommand(), a.secretRenameCommand(), a.secretHistoryCommand(),
		a.secretRollbackCommand(), a.secretPinCommand(), a.secretDescribeCommand(), a.secretTagCommand(), a.secretAllowCommand(), a.secretCanaryCommand())
	c.Aliases = []string{"secrets"}
	return c
}

// personalFlag adds --personal, which turns a command towards the caller's own overrides.
func personalFlag(c *cobra.Command, personal *bool) {
	c.Flags().BoolVar(personal, "personal", false, "your own override, on this machine only, never used in CI")
}

// apply makes a change and says what came of it.
func (a *app) apply(ctx context.Context, s *platform.Service, e platform.Env, b platform.Batch) error {
	result, err := s.Apply(ctx, a.caller(), e, b)
	if err != nil {
		return err
	}
	return a.changed(e, result)
}

func (a *app) changed(e platform.Env, r platform.Result) error {
	if a.json {
		return a.document(r)
	}
	if len(r.Changed) == 0 {
		a.say("nothing to change in %s/%s", e.Project, e.Slug)
		return nil
	}
	a.say("%s/%s is now at revision %d: %s", e.Project, e.Slug, r.Revision, summary(r.Changed))
	return nil
}

// summary lists names, the first few of many.
func summary(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and " + strconv.Itoa(len(names)-most) + " more"
}

func pinned(x platform.Secret) string {
	if x.Pinned {
		return " (pinned)"
	}
	return ""
}

func tagList(tags map[string]string) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, k+":"+tags[k])
	}
	return strings.Join(all, " ")
}

// mayBreak shows what depends on secrets that are about to go, and asks. Without dependants it does not ask.
func (a *app) mayBreak(ctx context.Context, s *platform.Service, e platform.Env, verb string, names []string) (bool, error) {
	var lines []string
	for _, name := range names {
		users, err := s.Referrers(ctx, a.caller(), e.Project, e.Slug, name)
		if err != nil {
			return false, err
		}
		for _, u := range users {
			if u.Project == e.Project && u.Env == e.Slug && slices.Contains(names, u.Name) {
				continue
			}
			lines = append(lines, fmt.Sprintf("  %s/%s/%s refers to %s", u.Project, u.Env, u.Name, name))
		}
	}
	if len(lines) == 0 {
		return true, nil
	}
	_, _ = fmt.Fprintf(a.err, "these would no longer resolve:\n%s\n", strings.Join(lines, "\n"))
	ok, err := a.confirm(verb + " all the same?")
	if err == nil && !ok {
		err = errors.New("nothing was changed")
	}
	return ok, err
}
