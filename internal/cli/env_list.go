package cli

import (
	"strconv"

	"github.com/spf13/cobra"
)

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
