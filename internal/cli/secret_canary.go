package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
)

// canaryTag marks a secret that nobody uses: wherever its value turns up, somebody has taken it.
const canaryTag = "canary"

// alarmAction is the audit log's name for a sign that somebody has taken a secret.
const alarmAction = "secret.alarm"

func (a *app) secretCanaryCommand() *cobra.Command {
	var kind, comment string
	c := &cobra.Command{
		Use:   "canary NAME",
		Short: "Make a secret that opens nothing and is there to be stolen",
		Long: `Store a made-up credential that looks real. Nobody has a use for it, so whoever sends it, or leaves it somewhere, has taken it:
the shield stops a request that holds it and says so at once, and ` + "`zvault scan --transcripts`" + ` reports where it turns up. Each alarm is in
the audit log.

The credential is of the kind that NAME promises (AWS_BACKUP_KEY, DATABASE_URL_OLD), unless --kind names another. Run it again to make
a new one.`,
		Example: `  zvault secret canary AWS_BACKUP_KEY
  zvault secret canary BILLING_TOKEN --kind stripe`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.secretCanary(cmd.Context(), args[0], first(kind, placeholder.KindFor(args[0])), comment)
		},
	}
	c.Flags().StringVar(&kind, "kind", "", "what it looks like")
	c.Flags().StringVar(&comment, "comment", "", "what thieves are to believe that it is for")
	complete(c, "kind", placeholder.Kinds()...)
	return c
}

func (a *app) secretCanary(ctx context.Context, name, kind, comment string) error {
	value, err := placeholder.Sample(kind)
	if err != nil {
		return usage("%v", err)
	}
	s, e, err := a.opened(ctx)
	if err != nil {
		return err
	}
	canaries, err := canaries(ctx, a, s, e)
	if err != nil {
		return err
	}
	if known, there := canaries[name]; there && !known {
		return withHint(usage("%s is a secret that may be in use; a canary would replace its value", name), "choose another name")
	}
	change := platform.Change{Name: name, Value: &value, Tags: map[string]string{canaryTag: kind}}
	if comment != "" {
		change.Comment = &comment
	}
	return a.apply(ctx, s, e, platform.Batch{Changes: []platform.Change{change}, Message: "make canary " + name})
}

// canaries says of each secret of an environment whether it is a canary.
func canaries(ctx context.Context, a *app, s *platform.Service, e platform.Env) (map[string]bool, error) {
	list, err := s.List(ctx, a.caller(), e, platform.Moment{})
	if err != nil {
		return nil, err
	}
	is := make(map[string]bool, len(list))
	for _, one := range list {
		is[one.Name] = one.Tags[canaryTag] != ""
	}
	return is, nil
}
