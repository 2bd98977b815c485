package cli

import (
	"github.com/spf13/cobra"
)

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
