package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) secretRollbackCommand() *cobra.Command {
	var version int64
	c := &cobra.Command{
		Use:   "rollback NAME",
		Short: "Give a secret an earlier value again; also brings back a deleted one",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			result, err := s.Rollback(ctx, a.caller(), e, args[0], version)
			if err != nil {
				return err
			}
			return a.changed(e, result)
		},
	}
	c.Flags().Int64Var(&version, "version", 0, "the version to go back to (default: the one before)")
	return c
}
