package cli

import (
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

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
