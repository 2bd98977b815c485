package cli

import (
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

func (a *app) secretDeleteCommand() *cobra.Command {
	var personal bool
	c := &cobra.Command{
		Use:     "delete NAME...",
		Aliases: []string{"rm"},
		Short:   "Delete secrets; rollback brings them back",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			e.Personal = personal
			if ok, err := a.mayBreak(ctx, s, e, "delete", args); err != nil || !ok {
				return err
			}
			var changes []platform.Change
			for _, name := range args {
				changes = append(changes, platform.Change{Name: name, Delete: true})
			}
			return a.apply(ctx, s, e, platform.Batch{Changes: changes, Message: "delete " + summary(args)})
		},
	}
	personalFlag(c, &personal)
	return c
}
