package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func (a *app) secretCommand() *cobra.Command {
	c := group("secret", "Set, get and look after secrets", `Set, get and look after the secrets of an environment. Values come from a prompt or from stdin, never from the
command line, where other programs and the shell's history could see them.`,
		a.secretSetCommand(), a.secretGetCommand(), a.secretListCommand(), a.secretDeleteCommand(), a.secretRenameCommand(), a.secretHistoryCommand(),
		a.secretRollbackCommand(), a.secretPinCommand(), a.secretDescribeCommand(), a.secretTagCommand())
	c.Aliases = []string{"secrets"}
	return c
}

// personalFlag adds --personal, which turns a command towards the caller's own overrides.
func personalFlag(c *cobra.Command, personal *bool) {
	c.Flags().BoolVar(personal, "personal", false, "your own override, on this machine only, never used in CI")
}

func (a *app) secretSetCommand() *cobra.Command {
	var personal, raw bool
	var comment string
	c := &cobra.Command{
		Use:   "set NAME",
		Short: "Set a secret to a value from a prompt or stdin",
		Example: `  zvault secret set STRIPE_KEY                 asks for the value
  pass stripe | zvault secret set STRIPE_KEY   takes it from stdin, without the last newline
  zvault secret set CERT < server.pem`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && !strings.Contains(args[0], "=") {
				return nil
			}
			if len(args) == 0 {
				return errors.New("name the secret")
			}
			return errors.New("a value is not taken from the command line, where every program and the shell's history can see it; " +
				"give only the name, and the value at the prompt or on stdin")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			e.Personal = personal
			value, err := a.readValue(args[0])
			if err != nil {
				return err
			}
			change := platform.Change{Name: args[0], Value: &value}
			if raw {
				kind := platform.TypeRaw
				change.Type = &kind
			}
			if cmd.Flags().Changed("comment") {
				change.Comment = &comment
			}
			return a.apply(ctx, s, e, platform.Batch{Changes: []platform.Change{change}, Message: "set " + args[0]})
		},
	}
	personalFlag(c, &personal)
	c.Flags().BoolVar(&raw, "raw", false, "take the value as it is, even if it holds zvault:// references")
	c.Flags().StringVar(&comment, "comment", "", "what the secret is for")
	return c
}

// readValue takes a value from the terminal, or all of stdin without one trailing newline.
func (a *app) readValue(name string) (secret.Value, error) {
	if isTerminal(a.in) {
		v, err := a.askSecret("value of " + name)
		return secret.New(v), err
	}
	v, err := io.ReadAll(io.LimitReader(a.in, platform.MaxValue+3))
	if err != nil {
		return secret.Value{}, fmt.Errorf("reading the value from stdin: %w", err)
	}
	if n := len(v); n > 0 && v[n-1] == '\n' {
		v = v[:n-1]
		if n > 1 && v[n-2] == '\r' {
			v = v[:n-2]
		}
	}
	return secret.New(v), nil
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

func (a *app) secretGetCommand() *cobra.Command {
	var version int64
	var raw, personal bool
	c := &cobra.Command{
		Use:   "get NAME",
		Short: "Print the value of a secret",
		Long: `Print the value of a secret, with references in it resolved. On a terminal a newline follows; into a pipe or a
file goes the value alone. The audit log records it.`,
		Example: `  zvault secret get STRIPE_KEY
  zvault secret get DATABASE_URL --version 3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			e.Personal = personal
			value, err := a.getValue(ctx, s, e, args[0], version, raw || personal)
			if err != nil {
				return err
			}
			if a.json {
				return a.document(map[string]string{"name": args[0], "value": string(value.Reveal())})
			}
			if err := a.raw(value.Reveal()); err != nil {
				return err
			}
			if isTerminal(a.out) {
				return a.data("\n")
			}
			return nil
		},
	}
	c.Flags().Int64Var(&version, "version", 0, "an earlier version (its references are not resolved)")
	c.Flags().BoolVar(&raw, "raw", false, "do not resolve references")
	personalFlag(c, &personal)
	return c
}

func (a *app) getValue(ctx context.Context, s *platform.Service, e platform.Env, name string, version int64, raw bool) (secret.Value, error) {
	if raw || version != 0 {
		return s.Value(ctx, a.caller(), e, name, version)
	}
	values, err := s.Reveal(ctx, a.caller(), e, platform.Selection{Names: []string{name}, NoPersonal: a.inCI()})
	if err != nil {
		if _, described := s.Describe(ctx, a.caller(), e, name); platform.KindOf(described) == platform.NotFound {
			return secret.Value{}, described
		}
		return secret.Value{}, err
	}
	return values[0].Value, nil
}

func (a *app) secretListCommand() *cobra.Command {
	var personal bool
	var at string
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the secrets of an environment, without values",
		Example: `  zvault secret list --env production
  zvault secret list --at 12              as they were at revision 12
  zvault secret list --at 2026-11-01T10:00:00Z`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			e.Personal = personal
			moment, err := parseMoment(at)
			if err != nil {
				return err
			}
			all, err := s.List(ctx, a.caller(), e, moment)
			if err != nil {
				return err
			}
			if a.json {
				return a.document(nonNil(all))
			}
			rows := make([][]string, len(all))
			for i, x := range all {
				rows[i] = []string{x.Name, strconv.FormatInt(x.Version, 10) + pinned(x), tagList(x.Tags), oneLine(x.Comment)}
			}
			return a.table([]string{"NAME", "VERSION", "TAGS", "COMMENT"}, rows)
		},
	}
	personalFlag(c, &personal)
	c.Flags().StringVar(&at, "at", "", "a revision or a time (RFC 3339) of the past")
	return c
}

// nonNil makes an empty list print as [] in JSON.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
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

func (a *app) secretDeleteCommand() *cobra.Command {
	var personal bool
	c := &cobra.Command{
		Use:     "delete NAME...",
		Aliases: []string{"rm"},
		Short:   "Delete secrets; rollback brings them back",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			e.Personal = personal
			if ok, err := a.mayBreak(ctx, s, e, "delete", args); err != nil || !ok {
				return err
			}
			var changes []platform.Change
			for _, name := range args {
				changes = append(changes, platform.Change{Name: name, Delete: true})
			}
			return a.apply(ctx, s, e, platform.Batch{Changes: changes, Message: "delete " + summary(args)})
		},
	}
	personalFlag(c, &personal)
	return c
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

func (a *app) secretRenameCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rename OLD NEW",
		Short: "Give a secret another name",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			if ok, err := a.mayBreak(ctx, s, e, "rename", args[:1]); err != nil || !ok {
				return err
			}
			result, err := s.Rename(ctx, a.caller(), e, args[0], args[1])
			if err != nil {
				return err
			}
			return a.changed(e, result)
		},
	}
}

func (a *app) secretHistoryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "history NAME",
		Short: "Show what happened to a secret",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			events, err := s.History(ctx, a.caller(), e, args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.document(events)
			}
			rows := make([][]string, len(events))
			for i, x := range events {
				what := x.Action
				if x.Deleted {
					what = "deleted"
				}
				rows[i] = []string{strconv.FormatInt(x.Revision, 10), strconv.FormatInt(x.Version, 10) + pinned(x.Secret), stamp(x.At), x.Actor, what, x.Message}
			}
			return a.table([]string{"REVISION", "VERSION", "WHEN", "WHO", "WHAT", "WHY"}, rows)
		},
	}
}

func (a *app) secretRollbackCommand() *cobra.Command {
	var version int64
	c := &cobra.Command{
		Use:   "rollback NAME",
		Short: "Give a secret an earlier value again; also brings back a deleted one",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			result, err := s.Rollback(ctx, a.caller(), e, args[0], version)
			if err != nil {
				return err
			}
			return a.changed(e, result)
		},
	}
	c.Flags().Int64Var(&version, "version", 0, "the version to go back to (default: the one before)")
	return c
}

func (a *app) secretPinCommand() *cobra.Command {
	var version int64
	var off bool
	c := &cobra.Command{
		Use:   "pin NAME",
		Short: "Keep a version from being replaced",
		Example: `  zvault secret pin API_KEY                keep the current version
  zvault secret pin API_KEY --version 3    go back to version 3 and keep it
  zvault secret pin API_KEY --off          let it change again`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			on := !off
			verb := "pin "
			if off {
				verb = "unpin "
			}
			return a.apply(ctx, s, e, platform.Batch{
				Changes: []platform.Change{{Name: args[0], Pin: &on, PinVersion: version}}, Message: verb + args[0],
			})
		},
	}
	c.Flags().Int64Var(&version, "version", 0, "the version to pin (default: the current one)")
	c.Flags().BoolVar(&off, "off", false, "lift the pin")
	c.MarkFlagsMutuallyExclusive("version", "off")
	return c
}

func (a *app) secretDescribeCommand() *cobra.Command {
	var comment string
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "Show what is known of a secret, or set its comment",
		Example: `  zvault secret describe STRIPE_KEY
  zvault secret describe STRIPE_KEY --comment "live key, owned by billing"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("comment") {
				return a.apply(ctx, s, e, platform.Batch{
					Changes: []platform.Change{{Name: args[0], Comment: &comment}}, Message: "describe " + args[0],
				})
			}
			x, err := s.Describe(ctx, a.caller(), e, args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.document(x)
			}
			return a.table(nil, [][]string{
				{"name", x.Name}, {"address", "zvault://" + e.Project + "/" + x.Name}, {"environment", e.Slug},
				{"version", strconv.FormatInt(x.Version, 10) + pinned(x)}, {"type", x.Type}, {"comment", oneLine(x.Comment)}, {"tags", tagList(x.Tags)},
			})
		},
	}
	c.Flags().StringVar(&comment, "comment", "", "set the comment; empty removes it")
	return c
}

func (a *app) secretTagCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tag NAME KEY=VALUE...",
		Short: "Set tags; KEY= removes one",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			tags := map[string]string{}
			for _, arg := range args[1:] {
				k, v, ok := strings.Cut(arg, "=")
				if !ok || k == "" {
					return usage("tag %q: write KEY=VALUE, or KEY= to remove it", arg)
				}
				tags[k] = v
			}
			return a.apply(ctx, s, e, platform.Batch{Changes: []platform.Change{{Name: args[0], Tags: tags}}, Message: "tag " + args[0]})
		},
	}
}
