package cli

import (
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

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
