package cli

import (
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

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
