package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Hold an environment against the project's schema",
		Long: `Hold the secrets of an environment against the project's schema, and report references that lead nowhere. The schema stands in the
comments of .env.zvault, above each entry; a changed one is taken over into the vault first:

  # @required @type=url @hosts="api.stripe.com"
  STRIPE_URL=zvault://shop/STRIPE_URL

Decorators: @required, @type (string, url, integer, number, boolean, port, email, ip, uuid, duration, json, base64, enum(a,b)), @pattern,
@sensitive, @hosts. No value is printed. The exit status is 1 if anything is wrong.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			if path := a.referencesFile(); path != "" {
				data, err := os.ReadFile(path)
				if err != nil && !os.IsNotExist(err) {
					return fmt.Errorf("reading %s: %w", path, err)
				}
				file, _ := dotenv.Parse(data)
				if schema := schemaOf(file.Effective()); len(schema) > 0 {
					if err := s.SetSchema(ctx, a.caller(), e.Project, schema); err != nil {
						return err
					}
				}
			}
			violations, err := s.Check(ctx, a.caller(), e)
			if err != nil {
				return err
			}
			if a.json {
				if err := a.document(nonNil(violations)); err != nil {
					return err
				}
			} else {
				rows := make([][]string, len(violations))
				for i, v := range violations {
					rows[i] = []string{v.Name, v.Reason}
				}
				if err := a.table(nil, rows); err != nil {
					return err
				}
			}
			if len(violations) > 0 {
				return &statusError{exitFailed}
			}
			a.say("%s/%s is as its schema wants it", e.Project, e.Slug)
			return nil
		},
	}
}
