package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) searchCommand() *cobra.Command {
	return &cobra.Command{
		Use: "search WORD...", Short: "Find secrets by name, comment or tag", Args: cobra.MinimumNArgs(1),
		Long: "Find secrets whose name, comment or tags contain every word, in all projects or, with --project, in one.",
		Example: `  zvault search stripe
  zvault search team:payments`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			hits, err := s.Search(cmd.Context(), a.caller(), a.project, strings.Join(args, " "))
			if err != nil {
				return err
			}
			if a.json {
				return a.document(nonNil(hits))
			}
			rows := make([][]string, len(hits))
			for i, h := range hits {
				rows[i] = []string{h.Project, h.Env, h.Name, tagList(h.Tags), oneLine(h.Comment)}
			}
			if len(hits) == 0 {
				a.say("nothing found")
			}
			return a.table([]string{"PROJECT", "ENVIRONMENT", "NAME", "TAGS", "COMMENT"}, rows)
		},
	}
}
