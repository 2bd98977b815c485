package cli

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

func (a *app) aiCommand() *cobra.Command {
	return group("ai", "See what assistants did, and take back what they were given",
		"An assistant acts on behalf of a person, under its own name. What it did is in the audit log; what it may do, it has from rules (`zvault secret allow`) and from answers (`zvault approve`).",
		a.aiLogCommand(), a.aiSessionsCommand(), a.aiRevokeCommand())
}

// deed is one thing that an assistant did, or that was decided about it.
type deed struct {
	Seq         uint64    `json:"seq"`
	Time        time.Time `json:"time"`
	Person      string    `json:"person"`
	Client      string    `json:"client"`
	Version     string    `json:"version,omitempty"`
	Session     string    `json:"session,omitempty"`
	Tool        string    `json:"tool,omitempty"`
	Action      string    `json:"action"`
	Project     string    `json:"project,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Secrets     []string  `json:"secrets"`
	Outcome     string    `json:"outcome"`
	Detail      string    `json:"detail,omitempty"`
}

// aiLogFlags choose deeds.
type aiLogFlags struct {
	auditFlags
	client, session, tool string
}

func (a *app) aiLogCommand() *cobra.Command {
	var f aiLogFlags
	c := &cobra.Command{
		Use: "log", Short: "Show what assistants did: who, through which program and tool, with which secrets", Args: cobra.NoArgs,
		Example: `  zvault ai log --since 24h
  zvault ai log --client claude-code --key STRIPE_KEY
  zvault ai log --outcome denied --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			deeds, err := a.deeds(cmd.Context(), f)
			if err != nil {
				return err
			}
			if a.json {
				return a.document(nonNil(deeds))
			}
			var rows [][]string
			for _, d := range deeds {
				rows = append(rows, []string{
					stamp(d.Time), grant.Visible(d.Person), grant.Visible(strings.TrimSpace(d.Client + " " + d.Version)), grant.Visible(first(d.Tool, "-")), d.Action,
					where(audit.Entry{Project: d.Project, Environment: d.Environment}), summary(d.Secrets), d.Outcome, grant.Visible(d.Detail),
				})
			}
			return a.table([]string{"WHEN", "PERSON", "CLIENT", "TOOL", "WHAT", "WHERE", "SECRETS", "OUTCOME", "DETAIL"}, rows)
		},
	}
	f.add(c, 50)
	c.Flags().StringVar(&f.client, "client", "", "only this program")
	c.Flags().StringVar(&f.session, "session", "", "only this session")
	c.Flags().StringVar(&f.tool, "tool", "", "only this tool")
	return c
}

// deeds reads the newest first.
func (a *app) deeds(ctx context.Context, f aiLogFlags) ([]deed, error) {
	filter, err := f.filter(a)
	if err != nil {
		return nil, err
	}
	filter.Newest, filter.Limit = true, 0 // what is no deed does not count
	if _, err := a.open(ctx); err != nil {
		return nil, err
	}
	var all []deed
	for e, err := range a.vault.Audit.Query(ctx, filter) {
		if err != nil {
			a.warn("%v", err)
			continue
		}
		d, ok := deedOf(e)
		if !ok || f.client != "" && f.client != d.Client || f.session != "" && f.session != d.Session || f.tool != "" && f.tool != d.Tool {
			continue
		}
		if all = append(all, d); f.limit > 0 && len(all) >= f.limit {
			break
		}
	}
	return all, nil
}

// deedOf makes a deed of an entry, if it is one: of an assistant, through the MCP server, or about grants.
func deedOf(e audit.Entry) (deed, bool) {
	if e.Actor.Kind != audit.Assistant && e.Client.Kind != audit.MCP && !strings.HasPrefix(e.Action, "grant.") {
		return deed{}, false
	}
	d := deed{
		Seq: e.Seq, Time: e.Time, Person: e.Actor.Name, Client: e.Client.Name, Version: e.Client.Version, Session: e.Request, Action: e.Action,
		Project: e.Project, Environment: e.Environment, Secrets: nonNil(e.Keys), Outcome: string(e.Outcome), Detail: e.Reason,
	}
	if rest, ok := strings.CutPrefix(e.Reason, "tool="); ok {
		d.Tool, d.Detail, _ = strings.Cut(rest, " ")
	}
	return d, true
}

// sessionView is a session as it is printed.
type sessionView struct {
	Session string    `json:"session"`
	Person  string    `json:"person"`
	Client  string    `json:"client"`
	Version string    `json:"version,omitempty"`
	Face    string    `json:"face"`
	PID     int       `json:"pid,omitempty"`
	Begun   time.Time `json:"begun"`
	State   string    `json:"state"`
	Grants  []string  `json:"grants"`
}

func (a *app) aiSessionsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sessions", Short: "Show the conversations and runs, and what was approved for them", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.approver(cmd.Context())
			if err != nil {
				return err
			}
			sessions, err := p.Store.Sessions(cmd.Context())
			if err != nil {
				return err
			}
			var views []sessionView
			var rows [][]string
			for _, x := range sessions {
				v := viewOf(x)
				views = append(views, v)
				rows = append(rows, []string{v.Session, grant.Visible(v.Person), grant.Visible(strings.TrimSpace(v.Client + " " + v.Version)), stamp(v.Begun), v.State, strconv.Itoa(len(v.Grants))})
			}
			if a.json {
				return a.document(nonNil(views))
			}
			return a.table([]string{"SESSION", "PERSON", "CLIENT", "BEGUN", "STATE", "GRANTS"}, rows)
		},
	}
}

func viewOf(x grant.Session) sessionView {
	v := sessionView{
		Session: x.Asker.Session, Person: x.Asker.Person, Client: x.Asker.Client, Version: x.Asker.Version, Face: string(x.Asker.Face), PID: x.Asker.PID,
		Begun: x.Begun, State: "running", Grants: []string{},
	}
	switch {
	case x.Revoked:
		v.State = "revoked"
	case !x.Running(time.Now()):
		v.State = "ended"
	}
	for at, rules := range x.Granted {
		for _, r := range rules {
			v.Grants = append(v.Grants, at+" "+r.String())
		}
	}
	slices.Sort(v.Grants)
	return v
}

func (a *app) aiRevokeCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "revoke [CLIENT|SESSION]",
		Short: "End sessions, and take back what was approved for them",
		Long: `End the running sessions of a client, or one session, or with --all every one, and drop what was approved for them, for the conversation and
for always. Rules that you wrote with ` + "`zvault secret allow`" + ` stay.`,
		Example: `  zvault ai revoke claude-code
  zvault ai revoke --all`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (first(args...) != "") || len(args) == 1 && args[0] == "" {
				return usage("name a client or a session, or say --all")
			}
			p, err := a.approver(cmd.Context())
			if err != nil {
				return err
			}
			n, err := p.Revoke(cmd.Context(), first(args...))
			if err != nil {
				return err
			}
			if a.json {
				return a.document(n)
			}
			if n == (grant.Ended{}) && !all {
				return withHint(&exitError{errors.New("there is no running session and no approval of " + strconv.Quote(args[0])), exitNotFound}, "see `zvault ai sessions`")
			}
			a.say("ended %d sessions, took back %d approvals", n.Sessions, n.Rules)
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "everything that any assistant was given")
	return c
}
