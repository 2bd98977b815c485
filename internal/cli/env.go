package cli

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

func (a *app) envCommand() *cobra.Command {
	c := group("env", "List, create, compare, promote and restore environments",
		"Environments of a project. development, staging and production exist from the start; dev, stage and prod mean the same.",
		a.envListCommand(), a.envCreateCommand(), a.envCloneCommand(), a.envBaseCommand(), a.envDiffCommand(), a.envPromoteCommand(),
		a.envLogCommand(), a.envRestoreCommand(), a.envDeleteCommand(), a.envUndeleteCommand())
	c.Aliases = []string{"envs", "environment"}
	return c
}

// inProject names an environment of the project in force.
func (a *app) inProject(slug string) (platform.Env, error) {
	e, err := a.scope()
	e.Slug = ref.CanonicalEnvironment(slug)
	return e, err
}

func (a *app) envListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the environments of a project", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, e, err := a.opened(cmd.Context())
			if err != nil {
				return err
			}
			all, err := s.Environments(cmd.Context(), a.caller(), e.Project)
			if err != nil {
				return err
			}
			if a.json {
				return a.document(nonNil(all))
			}
			rows := make([][]string, len(all))
			for i, x := range all {
				name := x.Slug
				if x.Personal {
					name += " (your overrides)"
				}
				rows[i] = []string{name, strconv.Itoa(x.Secrets), strconv.FormatInt(x.Revision, 10), x.Base}
			}
			return a.table([]string{"ENVIRONMENT", "SECRETS", "REVISION", "INHERITS FROM"}, rows)
		},
	}
}

func (a *app) envCreateCommand() *cobra.Command {
	var base string
	c := &cobra.Command{
		Use: "create NAME", Short: "Create an environment", Args: cobra.ExactArgs(1),
		Example: "  zvault env create preview --base staging    what it does not set itself comes from staging",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, e, err := a.opened(cmd.Context())
			if err != nil {
				return err
			}
			slug := ref.CanonicalEnvironment(args[0])
			if err := s.CreateEnvironment(cmd.Context(), a.caller(), e.Project, slug, ref.CanonicalEnvironment(base)); err != nil {
				return err
			}
			a.say("created environment %s/%s", e.Project, slug)
			return nil
		},
	}
	c.Flags().StringVar(&base, "base", "", "the environment to inherit from")
	return c
}

func (a *app) envCloneCommand() *cobra.Command {
	return &cobra.Command{
		Use: "clone FROM NEW", Short: "Create an environment with the secrets of another", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := a.inProject(args[0])
			if err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			to := ref.CanonicalEnvironment(args[1])
			result, err := s.CloneEnvironment(cmd.Context(), a.caller(), from, to)
			if err != nil {
				return err
			}
			return a.changed(platform.Env{Project: from.Project, Slug: to}, result)
		},
	}
}

func (a *app) envBaseCommand() *cobra.Command {
	return &cobra.Command{
		Use: "base NAME [BASE]", Short: "Make an environment inherit from another; without BASE, from none", Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.inProject(args[0])
			if err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			base := ""
			if len(args) == 2 {
				base = ref.CanonicalEnvironment(args[1])
			}
			if err := s.SetBase(cmd.Context(), a.caller(), e, base); err != nil {
				return err
			}
			a.say("%s/%s now inherits from %s", e.Project, e.Slug, first(base, "none"))
			return nil
		},
	}
}

func (a *app) envDiffCommand() *cobra.Command {
	var leftAt, rightAt string
	c := &cobra.Command{
		Use: "diff LEFT [RIGHT]", Short: "Compare two environments, or two moments of one, without values", Args: cobra.RangeArgs(1, 2),
		Example: `  zvault env diff staging production
  zvault env diff production --left-at 12      revision 12 and now`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			left, err := a.side(args[0], leftAt)
			if err != nil {
				return err
			}
			right, err := a.side(args[len(args)-1], rightAt)
			if err != nil {
				return err
			}
			differences, err := s.Diff(cmd.Context(), a.caller(), left, right)
			if err != nil {
				return err
			}
			return a.differences(differences)
		},
	}
	c.Flags().StringVar(&leftAt, "left-at", "", "a revision or time of the left side")
	c.Flags().StringVar(&rightAt, "right-at", "", "a revision or time of the right side")
	return c
}

func (a *app) side(slug, at string) (platform.Side, error) {
	e, err := a.inProject(slug)
	if err != nil {
		return platform.Side{}, err
	}
	moment, err := parseMoment(at)
	return platform.Side{Env: e, At: moment}, err
}

func (a *app) differences(all []platform.Difference) error {
	if a.json {
		return a.document(nonNil(all))
	}
	if len(all) == 0 {
		a.say("no difference")
		return nil
	}
	signs := map[platform.Status]string{platform.Added: "+", platform.Removed: "-", platform.Changed: "~", platform.Metadata: "·"}
	rows := make([][]string, len(all))
	for i, d := range all {
		rows[i] = []string{signs[d.Status], d.Name, string(d.Status)}
	}
	return a.table(nil, rows)
}

func (a *app) envPromoteCommand() *cobra.Command {
	var names []string
	var prune, dry bool
	c := &cobra.Command{
		Use: "promote FROM TO", Short: "Give an environment the secrets of another, after a preview", Args: cobra.ExactArgs(2),
		Example: `  zvault env promote staging production
  zvault env promote staging production --only API_KEY,API_URL --yes
  zvault env promote staging production --dry-run --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := a.inProject(args[0])
			if err != nil {
				return err
			}
			to, err := a.inProject(args[1])
			if err != nil {
				return err
			}
			return a.promote(cmd, from, to, platform.PromoteOptions{Names: names, Prune: prune}, dry)
		},
	}
	c.Flags().StringSliceVar(&names, "only", nil, "only these secrets")
	c.Flags().BoolVar(&prune, "prune", false, "also delete what FROM does not have")
	c.Flags().BoolVar(&dry, "dry-run", false, "show what would change and stop")
	return c
}

func (a *app) promote(cmd *cobra.Command, from, to platform.Env, o platform.PromoteOptions, dry bool) error {
	ctx := cmd.Context()
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	commits, err := s.Log(ctx, a.caller(), to, 0, 1)
	if err != nil {
		return err
	}
	revision := int64(0)
	if len(commits) > 0 {
		revision = commits[0].Revision
	}
	preview, err := s.Diff(ctx, a.caller(), platform.Side{Env: to}, platform.Side{Env: from})
	if err != nil {
		return err
	}
	preview = limit(preview, o)
	if dry || len(preview) == 0 {
		return a.differences(preview)
	}
	if !a.json {
		if err := a.differences(preview); err != nil {
			return err
		}
	}
	ok, err := a.confirm("promote " + count(len(preview), "change") + " from " + from.Slug + " to " + to.Slug + "?")
	if err != nil || !ok {
		if err == nil {
			err = errors.New("nothing was changed")
		}
		return err
	}
	o.Expect = &revision
	result, err := s.Promote(ctx, a.caller(), from, to, o)
	if err != nil {
		return err
	}
	return a.changed(to, result)
}

// limit leaves in a preview what a promotion would do.
func limit(all []platform.Difference, o platform.PromoteOptions) []platform.Difference {
	var out []platform.Difference
	for _, d := range all {
		if (d.Status == platform.Removed && !o.Prune) || !wanted(o.Names, d.Name) {
			continue
		}
		out = append(out, d)
	}
	return out
}

func wanted(names []string, name string) bool {
	if len(names) == 0 {
		return true
	}
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func (a *app) envLogCommand() *cobra.Command {
	var most int
	c := &cobra.Command{
		Use: "log [NAME]", Short: "Show the commits of an environment", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, e, err := a.opened(cmd.Context())
			if err != nil {
				return err
			}
			if len(args) == 1 {
				e.Slug = ref.CanonicalEnvironment(args[0])
			}
			commits, err := s.Log(cmd.Context(), a.caller(), e, 0, most)
			if err != nil {
				return err
			}
			if a.json {
				return a.document(nonNil(commits))
			}
			rows := make([][]string, len(commits))
			for i, m := range commits {
				rows[i] = []string{strconv.FormatInt(m.Revision, 10), stamp(m.At), m.Actor, m.Action, summary(m.Changed), m.Message}
			}
			return a.table([]string{"REVISION", "WHEN", "WHO", "WHAT", "SECRETS", "WHY"}, rows)
		},
	}
	c.Flags().IntVar(&most, "limit", 50, "at most so many; 0 for all")
	return c
}

func (a *app) envRestoreCommand() *cobra.Command {
	var at string
	var names []string
	c := &cobra.Command{
		Use: "restore NAME --at MOMENT", Short: "Bring an environment, or some of its secrets, back to a past state", Args: cobra.ExactArgs(1),
		Example: `  zvault env restore production --at 12
  zvault env restore production --at 2026-11-01T10:00:00Z --only API_KEY`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			e, err := a.inProject(args[0])
			if err != nil {
				return err
			}
			moment, err := parseMoment(at)
			if err != nil {
				return err
			}
			if at == "" {
				return usage("say which state: --at REVISION or --at TIME")
			}
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			preview, err := s.Diff(ctx, a.caller(), platform.Side{Env: e}, platform.Side{Env: e, At: moment})
			if err != nil {
				return err
			}
			preview = limit(preview, platform.PromoteOptions{Names: names, Prune: true})
			if !a.json || len(preview) == 0 {
				if err := a.differences(preview); err != nil || len(preview) == 0 {
					return err
				}
			}
			ok, err := a.confirm("restore " + e.Project + "/" + e.Slug + "?")
			if err != nil || !ok {
				return err
			}
			result, err := s.Restore(ctx, a.caller(), e, moment, names)
			if err != nil {
				return err
			}
			return a.changed(e, result)
		},
	}
	c.Flags().StringVar(&at, "at", "", "the revision or time (RFC 3339) to go back to")
	c.Flags().StringSliceVar(&names, "only", nil, "only these secrets")
	return c
}

func (a *app) envDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Delete an environment; env undelete brings it back", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			e, err := a.inProject(args[0])
			if err != nil {
				return err
			}
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			all, err := s.List(ctx, a.caller(), e, platform.Moment{})
			if err != nil {
				return err
			}
			ok, err := a.confirm("delete environment " + e.Project + "/" + e.Slug + " with " + count(len(all), "secret") + "?")
			if err != nil || !ok {
				return err
			}
			if err := s.DeleteEnvironment(ctx, a.caller(), e); err != nil {
				return err
			}
			a.say("deleted environment %s/%s; `zvault env undelete %s` brings it back", e.Project, e.Slug, e.Slug)
			return nil
		},
	}
}

func (a *app) envUndeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "undelete NAME", Short: "Bring back a deleted environment", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.inProject(args[0])
			if err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := s.RestoreEnvironment(cmd.Context(), a.caller(), e.Project, e.Slug); err != nil {
				return err
			}
			a.say("restored environment %s/%s", e.Project, e.Slug)
			return nil
		},
	}
}
