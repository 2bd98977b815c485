package cli

import (
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

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
