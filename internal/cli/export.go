package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

func (a *app) exportCommand() *cobra.Command {
	var format, name string
	var only []string
	var at string
	c := &cobra.Command{
		Use:   "export",
		Short: "Print the secrets of an environment, with values, in a format that another program reads",
		Long: `Print the secrets of an environment with their values, references resolved. Each format is written for its own reader: env (dotenv), python
(python-dotenv), docker (--env-file), compose, shell (source), systemd (EnvironmentFile), powershell, github ($GITHUB_ENV), k8s (Secret manifest),
json, yaml. A value that a format cannot hold is refused, by name. The audit log records it.`,
		Example: `  zvault export --env production --format docker > prod.env
  eval "$(zvault export --format shell)"
  zvault export --format k8s --name app-secrets | kubectl apply -f -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if a.json {
				format = string(dotenv.JSON)
			}
			d := dotenv.Dialect(format)
			if !slices.Contains(dotenv.Dialects, d) {
				return usage("there is no format %q; there are %v", format, dotenv.Dialects)
			}
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			moment, err := parseMoment(at)
			if err != nil {
				return err
			}
			values, err := s.Reveal(ctx, a.caller(), e, platform.Selection{NoPersonal: a.inCI(), At: moment, Keep: func(n string) bool { return wanted(only, n) }})
			if err != nil {
				return describeUnresolved(err)
			}
			variables := make([]dotenv.Variable, len(values))
			for i, v := range values {
				variables[i] = dotenv.Variable{Name: v.Name, Value: v.Value}
			}
			text, err := dotenv.Write(d, first(name, strings.ToLower(e.Project)), variables)
			if err != nil {
				return withHint(err, "nothing was printed; --only NAMES leaves it out, and json, k8s and shell hold any text")
			}
			return a.raw(text)
		},
	}
	c.Flags().StringVar(&format, "format", string(dotenv.Node), "the format")
	c.Flags().StringVar(&name, "name", "", "name of the Secret, for k8s (default: the project)")
	c.Flags().StringSliceVar(&only, "only", nil, "only these secrets")
	c.Flags().StringVar(&at, "at", "", "a revision or a time (RFC 3339) of the past")
	names := make([]string, len(dotenv.Dialects))
	for i, d := range dotenv.Dialects {
		names[i] = string(d)
	}
	complete(c, "format", names...)
	return c
}
