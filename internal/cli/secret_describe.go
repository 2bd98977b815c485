package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

func (a *app) secretDescribeCommand() *cobra.Command {
	var comment string
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "Show what is known of a secret, or set its comment",
		Example: `  zvault secret describe STRIPE_KEY
  zvault secret describe STRIPE_KEY --comment "live key, owned by billing"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("comment") {
				return a.apply(ctx, s, e, platform.Batch{
					Changes: []platform.Change{{Name: args[0], Comment: &comment}}, Message: "describe " + args[0],
				})
			}
			x, err := s.Describe(ctx, a.caller(), e, args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.document(x)
			}
			return a.table(nil, [][]string{
				{"name", x.Name}, {"address", "zvault://" + e.Project + "/" + x.Name}, {"environment", e.Slug},
				{"version", strconv.FormatInt(x.Version, 10) + pinned(x)}, {"type", x.Type}, {"comment", oneLine(x.Comment)}, {"tags", tagList(x.Tags)},
			})
		},
	}
	c.Flags().StringVar(&comment, "comment", "", "set the comment; empty removes it")
	return c
}
