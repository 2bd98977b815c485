package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

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
