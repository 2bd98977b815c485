package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

func (a *app) secretTagCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tag NAME KEY=VALUE...",
		Short: "Set tags; KEY= removes one",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			tags := map[string]string{}
			for _, arg := range args[1:] {
				k, v, ok := strings.Cut(arg, "=")
				if !ok || k == "" {
					return usage("tag %q: write KEY=VALUE, or KEY= to remove it", arg)
				}
				tags[k] = v
			}
			return a.apply(ctx, s, e, platform.Batch{Changes: []platform.Change{{Name: args[0], Tags: tags}}, Message: "tag " + args[0]})
		},
	}
}
