package cli

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

func (a *app) auditCommand() *cobra.Command {
	return group("audit", "Read, check and export the audit log",
		"The audit log says who did what with which secrets; it holds no values. Each line is chained to the one before, and signed from time to time.",
		a.auditListCommand(), a.auditVerifyCommand(), a.auditExportCommand())
}

// auditFlags choose entries.
type auditFlags struct {
	since, until, actor, action, key, outcome string
	limit                                     int
}

func (f *auditFlags) add(c *cobra.Command, limit int) {
	c.Flags().StringVar(&f.since, "since", "", "from this time on (RFC 3339, or a duration back, such as 24h)")
	c.Flags().StringVar(&f.until, "until", "", "up to this time")
	c.Flags().StringVar(&f.actor, "actor", "", "only what this person or program did")
	c.Flags().StringVar(&f.action, "action", "", "only this action, or all that start so: secret.")
	c.Flags().StringVar(&f.key, "key", "", "only what concerns this secret")
	c.Flags().StringVar(&f.outcome, "outcome", "", "only ok, denied or failed")
	c.Flags().IntVar(&f.limit, "limit", limit, "at most so many; 0 for all")
	complete(c, "outcome", string(audit.OK), string(audit.Denied), string(audit.Failed))
}

func (f auditFlags) filter(a *app) (audit.Filter, error) {
	since, err := parseTime(f.since)
	if err != nil {
		return audit.Filter{}, err
	}
	until, err := parseTime(f.until)
	return audit.Filter{
		Since: since, Until: until, Actor: f.actor, Action: f.action, Project: a.project, Environment: ref.CanonicalEnvironment(a.env), Key: f.key,
		Outcome: audit.Outcome(f.outcome), Limit: f.limit,
	}, err
}

// parseTime reads a time, or a duration back from now; empty is no time.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return time.Now().Add(-d), nil
	}
	m, err := parseMoment(text)
	if err != nil || m.Time.IsZero() {
		return time.Time{}, usage("%q is neither a time such as 2026-11-01T10:00:00Z nor a duration such as 24h", text)
	}
	return m.Time, nil
}

func (a *app) auditListCommand() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "Show the newest entries", Args: cobra.NoArgs,
		Example: `  zvault audit list --key STRIPE_KEY --since 24h
  zvault audit list --action secret.reveal --outcome denied`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			filter, err := f.filter(a)
			if err != nil {
				return err
			}
			filter.Newest = true
			if _, err := a.open(ctx); err != nil {
				return err
			}
			entries := a.vault.Audit.Query(ctx, filter)
			if a.json {
				return writing(audit.Export(a.out, audit.JSON, entries))
			}
			var rows [][]string
			for e, err := range entries {
				if err != nil {
					a.warn("%v", err)
					continue
				}
				rows = append(rows, []string{strconv.FormatUint(e.Seq, 10), stamp(e.Time), e.Actor.Name, e.Action, where(e), string(e.Outcome), summary(e.Keys)})
			}
			return a.table([]string{"SEQ", "WHEN", "WHO", "WHAT", "WHERE", "OUTCOME", "SECRETS"}, rows)
		},
	}
	f.add(c, 50)
	return c
}

func where(e audit.Entry) string {
	if e.Environment == "" {
		return e.Project
	}
	return e.Project + "/" + e.Environment
}

func (a *app) auditVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Check that nothing was removed, changed or put elsewhere", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if _, err := a.open(ctx); err != nil {
				return err
			}
			r, err := a.vault.Audit.Verify(ctx)
			if err != nil {
				return withHint(err, "somebody has changed the log, or the disk has; `zvault audit list` still shows what can be read")
			}
			if a.json {
				return a.document(r)
			}
			return a.table(nil, [][]string{
				{"the chain holds", ""}, {"entries", strconv.Itoa(r.Entries)}, {"signed checkpoints", strconv.Itoa(r.Checkpoints)},
				{"entries not signed yet", strconv.Itoa(r.Uncovered)}, {"writes cut short by a crash", strconv.Itoa(r.Recovered)},
				{"first", stamp(r.First)}, {"last", stamp(r.Last)},
			})
		},
	}
}

func (a *app) auditExportCommand() *cobra.Command {
	var f auditFlags
	var format string
	c := &cobra.Command{
		Use: "export", Short: "Print entries for other programs, oldest first", Args: cobra.NoArgs,
		Example: "  zvault audit export --format csv --since 720h > audit.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			filter, err := f.filter(a)
			if err != nil {
				return err
			}
			kind, ok := map[string]audit.Format{"json": audit.JSON, "csv": audit.CSV}[format]
			if !ok {
				return usage("there is no format %q; choose json or csv", format)
			}
			if _, err := a.open(ctx); err != nil {
				return err
			}
			if err := a.vault.RecordExport(ctx); err != nil {
				return err
			}
			return writing(audit.Export(a.out, kind, a.vault.Audit.Query(ctx, filter)))
		},
	}
	f.add(c, 0)
	c.Flags().StringVar(&format, "format", "json", "json (one object a line) or csv")
	complete(c, "format", "json", "csv")
	return c
}
