package cli

import (
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

func (a *app) envDiffCommand() *cobra.Command {
	var leftAt, rightAt string
	c := &cobra.Command{
		Use: "diff LEFT [RIGHT]", Short: "Compare two environments, or two moments of one, without values", Args: cobra.RangeArgs(1, 2),
		Example: `  zvault env diff staging production
  zvault env diff production --left-at 12      revision 12 and now`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			left, err := a.side(args[0], leftAt)
			if err != nil {
				return err
			}
			right, err := a.side(args[len(args)-1], rightAt)
			if err != nil {
				return err
			}
			differences, err := s.Diff(cmd.Context(), a.caller(), left, right)
			if err != nil {
				return err
			}
			return a.differences(differences)
		},
	}
	c.Flags().StringVar(&leftAt, "left-at", "", "a revision or time of the left side")
	c.Flags().StringVar(&rightAt, "right-at", "", "a revision or time of the right side")
	return c
}

func (a *app) side(slug, at string) (platform.Side, error) {
	e, err := a.inProject(slug)
	if err != nil {
		return platform.Side{}, err
	}
	moment, err := parseMoment(at)
	return platform.Side{Env: e, At: moment}, err
}

func (a *app) differences(all []platform.Difference) error {
	if a.json {
		return a.document(nonNil(all))
	}
	if len(all) == 0 {
		a.say("no difference")
		return nil
	}
	signs := map[platform.Status]string{platform.Added: "+", platform.Removed: "-", platform.Changed: "~", platform.Metadata: "·"}
	rows := make([][]string, len(all))
	for i, d := range all {
		rows[i] = []string{signs[d.Status], d.Name, string(d.Status)}
	}
	return a.table(nil, rows)
}

// limit leaves in a preview what a promotion would do.
func limit(all []platform.Difference, o platform.PromoteOptions) []platform.Difference {
	var out []platform.Difference
	for _, d := range all {
		if (d.Status == platform.Removed && !o.Prune) || !wanted(o.Names, d.Name) {
			continue
		}
		out = append(out, d)
	}
	return out
}

func wanted(names []string, name string) bool {
	if len(names) == 0 {
		return true
	}
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
