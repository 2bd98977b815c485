package cli

import (
	"strconv"

	"github.com/spf13/cobra"
)

func (a *app) secretHistoryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "history NAME",
		Short: "Show what happened to a secret",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			events, err := s.History(ctx, a.caller(), e, args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.document(events)
			}
			rows := make([][]string, len(events))
			for i, x := range events {
				what := x.Action
				if x.Deleted {
					what = "deleted"
				}
				rows[i] = []string{strconv.FormatInt(x.Revision, 10), strconv.FormatInt(x.Version, 10) + pinned(x.Secret), stamp(x.At), x.Actor, what, x.Message}
			}
			return a.table([]string{"REVISION", "VERSION", "WHEN", "WHO", "WHAT", "WHY"}, rows)
		},
	}
}
