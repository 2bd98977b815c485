package cli

import (
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

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
