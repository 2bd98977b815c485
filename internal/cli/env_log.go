package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

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
