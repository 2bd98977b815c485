package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func (a *app) secretGetCommand() *cobra.Command {
	var version int64
	var raw, personal bool
	c := &cobra.Command{
		Use:   "get NAME",
		Short: "Print the value of a secret",
		Long: `Print the value of a secret, with references in it resolved. On a terminal a newline follows; into a pipe or a
file goes the value alone. The audit log records it.`,
		Example: `  zvault secret get STRIPE_KEY
  zvault secret get DATABASE_URL --version 3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			e.Personal = personal
			value, err := a.getValue(ctx, s, e, args[0], version, raw || personal)
			if err != nil {
				return err
			}
			if a.json {
				return a.document(map[string]string{"name": args[0], "value": string(value.Reveal())})
			}
			if err := a.raw(value.Reveal()); err != nil {
				return err
			}
			if isTerminal(a.out) {
				return a.data("\n")
			}
			return nil
		},
	}
	c.Flags().Int64Var(&version, "version", 0, "an earlier version (its references are not resolved)")
	c.Flags().BoolVar(&raw, "raw", false, "do not resolve references")
	personalFlag(c, &personal)
	return c
}

func (a *app) getValue(ctx context.Context, s *platform.Service, e platform.Env, name string, version int64, raw bool) (secret.Value, error) {
	if raw || version != 0 {
		return s.Value(ctx, a.caller(), e, name, version)
	}
	values, err := s.Reveal(ctx, a.caller(), e, platform.Selection{Names: []string{name}, NoPersonal: a.inCI()})
	if err != nil {
		if _, described := s.Describe(ctx, a.caller(), e, name); platform.KindOf(described) == platform.NotFound {
			return secret.Value{}, described
		}
		return secret.Value{}, err
	}
	return values[0].Value, nil
}
