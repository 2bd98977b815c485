package cli

import (
	"strconv"

	"github.com/spf13/cobra"
)

func (a *app) secretListCommand() *cobra.Command {
	var personal bool
	var at string
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the secrets of an environment, without values",
		Example: `  zvault secret list --env production
  zvault secret list --at 12              as they were at revision 12
  zvault secret list --at 2026-11-01T10:00:00Z`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			e.Personal = personal
			moment, err := parseMoment(at)
			if err != nil {
				return err
			}
			all, err := s.List(ctx, a.caller(), e, moment)
			if err != nil {
				return err
			}
			if a.json {
				return a.document(nonNil(all))
			}
			rows := make([][]string, len(all))
			for i, x := range all {
				rows[i] = []string{x.Name, strconv.FormatInt(x.Version, 10) + pinned(x), tagList(x.Tags), oneLine(x.Comment)}
			}
			return a.table([]string{"NAME", "VERSION", "TAGS", "COMMENT"}, rows)
		},
	}
	personalFlag(c, &personal)
	c.Flags().StringVar(&at, "at", "", "a revision or a time (RFC 3339) of the past")
	return c
}
