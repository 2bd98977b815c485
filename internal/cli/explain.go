package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "explain NAME", Short: "Show where a value would come from, layer by layer, without the value", Args: cobra.ExactArgs(1),
		Long: `Show every layer that could give NAME its value for ` + "`zvault run`" + `, lowest first, and which one wins:
the environments inherited from, the environment, your overrides (never in CI), .env.zvault, the process environment.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			over, err := a.layers("")
			if err != nil {
				return err
			}
			x, err := s.Explain(ctx, a.caller(), e, args[0], platform.Selection{Over: over, NoPersonal: a.inCI()})
			if err != nil {
				return err
			}
			if a.json {
				return a.document(x)
			}
			rows := make([][]string, len(x.Layers))
			for i, l := range x.Layers {
				state := "-"
				if l.Set {
					state = "set"
				}
				if l.Version > 0 {
					state += ", version " + strconv.FormatInt(l.Version, 10)
				}
				if len(l.Refers) > 0 {
					state += ", refers to " + strings.Join(l.Refers, ", ")
				}
				mark := ""
				if l.Wins {
					mark = "<- wins"
				}
				rows[i] = []string{string(l.Kind), l.Label, state, mark}
			}
			if err := a.table([]string{"LAYER", "FROM", "STATE"}, rows); err != nil {
				return err
			}
			if x.Problem != "" {
				a.say("%s has no value: %s", x.Name, x.Problem)
			}
			return nil
		},
	}
}

func (a *app) refsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "refs NAME", Short: "Show which secrets refer to a secret", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			all, err := s.Referrers(ctx, a.caller(), e.Project, e.Slug, args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.document(nonNil(all))
			}
			if len(all) == 0 {
				a.say("nothing refers to %s in %s/%s", args[0], e.Project, e.Slug)
			}
			rows := make([][]string, len(all))
			for i, r := range all {
				rows[i] = []string{r.Project, r.Env, r.Name}
			}
			return a.table([]string{"PROJECT", "ENVIRONMENT", "NAME"}, rows)
		},
	}
}
