package cli

import (
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/version"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show version, commit and build date", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			info := version.Get()
			if a.json {
				return a.document(info)
			}
			return a.table(nil, [][]string{
				{"zvault", info.Version}, {"commit", first(info.Commit, "unknown")}, {"date", first(info.Date, "unknown")}, {"go", info.Go}, {"platform", info.Platform},
			})
		},
	}
}
