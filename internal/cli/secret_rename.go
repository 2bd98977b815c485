package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) secretRenameCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rename OLD NEW",
		Short: "Give a secret another name",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			if ok, err := a.mayBreak(ctx, s, e, "rename", args[:1]); err != nil || !ok {
				return err
			}
			result, err := s.Rename(ctx, a.caller(), e, args[0], args[1])
			if err != nil {
				return err
			}
			return a.changed(e, result)
		},
	}
}
