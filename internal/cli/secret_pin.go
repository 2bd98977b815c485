package cli

import (
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

func (a *app) secretPinCommand() *cobra.Command {
	var version int64
	var off bool
	c := &cobra.Command{
		Use:   "pin NAME",
		Short: "Keep a version from being replaced",
		Example: `  zvault secret pin API_KEY                keep the current version
  zvault secret pin API_KEY --version 3    go back to version 3 and keep it
  zvault secret pin API_KEY --off          let it change again`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			on := !off
			verb := "pin "
			if off {
				verb = "unpin "
			}
			return a.apply(ctx, s, e, platform.Batch{
				Changes: []platform.Change{{Name: args[0], Pin: &on, PinVersion: version}}, Message: verb + args[0],
			})
		},
	}
	c.Flags().Int64Var(&version, "version", 0, "the version to pin (default: the current one)")
	c.Flags().BoolVar(&off, "off", false, "lift the pin")
	c.MarkFlagsMutuallyExclusive("version", "off")
	return c
}
