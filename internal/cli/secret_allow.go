package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/nearest"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// allowFlags are a rule as a person types it, and what to do with it.
type allowFlags struct {
	grant.Fields
	expires, rule string
	remove, list  bool
}

func (a *app) secretAllowCommand() *cobra.Command {
	var f allowFlags
	c := &cobra.Command{
		Use:   "allow [NAME]",
		Short: "Say how assistants and shielded programs may use a secret",
		Long: `Add a rule to a secret: a use that fits all of its flags is permitted without asking, and once a secret has a rule, every use that
fits none is refused. Give a flag more than once for more than one value. A secret without a rule is asked about at each use.

--host takes a name, *.example.com for all names below, an address or a network, each with a port or without; --path takes a pattern in which
* stands for one segment and ** for any number; --command takes a program with the beginning of its arguments: whatever follows is permitted,
so name no program that runs others. --env limits the rule to that environment. Only a person can add or remove rules.`,
		Example: `  zvault secret allow STRIPE_KEY --host api.stripe.com --tool http_request --in header:authorization
  zvault secret allow DATABASE_URL --host db.example.com:5432 --tool query_database --expires 24h
  zvault secret allow DEPLOY_KEY --command "git push" --approve
  zvault secret allow STRIPE_KEY --host api.stripe.com --tool http_request --in header:authorization --remove
  zvault secret allow --list`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.scope()
			if err != nil {
				return err
			}
			if cmd.Flag("env").Changed {
				f.Envs = []string{e.Slug}
			}
			return a.secretAllow(cmd.Context(), f, e, first(args...))
		},
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.Hosts, "host", nil, "where it may go")
	fl.StringArrayVar(&f.Tools, "tool", nil, "what may use it: the name of a tool, or shield")
	fl.StringArrayVar(&f.Methods, "method", nil, "HTTP method, or READ and WRITE for a database")
	fl.StringArrayVar(&f.Paths, "path", nil, "path of the URL, * and ** as patterns")
	fl.StringArrayVar(&f.In, "in", nil, "where in the request: header:NAME, query:KEY, body, path, login, env:NAME, stdin")
	fl.StringArrayVar(&f.Commands, "command", nil, "program with the beginning of its arguments")
	fl.IntVar(&f.Max, "max", 0, "at most so many uses in one conversation or run; 0 is without limit")
	fl.BoolVar(&f.Approve, "approve", false, "ask each time all the same")
	fl.StringVar(&f.expires, "expires", "", "how long the rule holds: 24h, 30d")
	fl.BoolVar(&f.remove, "remove", false, "remove the rule that the flags or --rule name")
	fl.StringVar(&f.rule, "rule", "", "with --remove: the rule by its id, as --list shows it, or all")
	fl.BoolVar(&f.list, "list", false, "show the rules of the secret, or of all of the project")
	complete(c, "tool", grant.Tools()...)
	complete(c, "in", "header:authorization", "query:key", "body", "path", "login")
	return c
}

func (a *app) secretAllow(ctx context.Context, f allowFlags, e platform.Env, name string) (err error) {
	switch {
	case f.list && f.remove:
		return usage("--list and --remove exclude each other")
	case f.list:
		return a.allowList(ctx, e.Project, name)
	case name == "":
		return withHint(usage("name the secret"), "`zvault secret allow --list` shows the rules of all")
	case f.rule != "" && !f.remove:
		return usage("--rule goes with --remove")
	}
	if f.For, err = parseSpan(f.expires); err != nil {
		return err
	}
	if f.remove {
		return a.allowRemove(ctx, e.Project, name, f)
	}
	rule, err := grant.ParseRule(f.Fields, time.Now())
	if err != nil {
		return withHint(&usageError{err}, "see `zvault secret allow --help`")
	}
	p, err := a.personally(ctx, "add a rule")
	if err != nil {
		return err
	}
	if err := a.someEnvironmentHas(ctx, e, name); err != nil {
		return err
	}
	if err := p.Allow(ctx, e.Project, name, rule); err != nil {
		return err
	}
	a.say("%s may be used: %s", name, rule)
	a.adviseRule(rule)
	return nil
}

// adviseRule warns of rules that permit more than they look like.
func (a *app) adviseRule(r grant.Rule) {
	switch {
	case len(r.Commands) == 0 && len(r.Hosts) == 0 && !slices.Equal(r.Tools, []string{"run_command"}):
		a.warn("without --host, the tool may send it anywhere")
	case len(r.Hosts) > 0 && len(r.In) == 0:
		a.warn("without --in, it may also stand in a part of the request that the host shows to others")
	}
	for _, c := range r.Commands {
		program, _, _ := strings.Cut(c, " ")
		if slices.Contains([]string{"sh", "bash", "zsh", "env", "sudo", "xargs", "python", "python3", "node", "perl", "ruby"}, program) {
			a.warn("%s runs whatever its arguments say", program)
		}
	}
}

// someEnvironmentHas refuses a name that no environment of the project knows.
func (a *app) someEnvironmentHas(ctx context.Context, e platform.Env, name string) error {
	environments, err := a.vault.Platform.Environments(ctx, a.caller(), e.Project)
	if err != nil {
		return err
	}
	var names []string
	for _, x := range environments {
		secrets, err := a.vault.Platform.List(ctx, a.caller(), platform.Env{Project: e.Project, Slug: x.Slug}, platform.Moment{})
		if err != nil {
			return err
		}
		for _, s := range secrets {
			if s.Name == name {
				return nil
			}
			names = append(names, s.Name)
		}
	}
	err = &exitError{fmt.Errorf("%q is not set in any environment of %s", name, e.Project), exitNotFound}
	if near, ok := nearest.Of(name, names); ok {
		return withHint(err, "did you mean %s?", near)
	}
	return err
}

func (a *app) allowRemove(ctx context.Context, project, name string, f allowFlags) error {
	id := f.rule
	if id == "" {
		rule, err := grant.ParseRule(f.Fields, time.Now())
		if err != nil {
			return withHint(&usageError{err}, "name the rule by the flags that it was made with, or by --rule ID; `zvault secret allow --list` shows both")
		}
		id = rule.ID()
	}
	p, err := a.personally(ctx, "remove a rule")
	if err != nil {
		return err
	}
	ids := []string{id}
	if id == "all" {
		rules, err := p.Store.Rules(ctx, project)
		if err != nil {
			return err
		}
		ids = nil
		for _, r := range rules[name] {
			ids = append(ids, r.ID())
		}
	}
	for _, id := range ids {
		if err := p.Remove(ctx, project, name, id); errors.Is(err, grant.ErrNoRule) {
			return &exitError{withHint(err, "`zvault secret allow %s --list` shows its rules", name), exitNotFound}
		} else if err != nil {
			return err
		}
	}
	a.say("removed %d of the rules of %s", len(ids), name)
	return nil
}

// listedRule is a rule as --list --json prints it.
type listedRule struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
	grant.Rule
}

func (a *app) allowList(ctx context.Context, project, name string) error {
	p, err := a.approver(ctx)
	if err != nil {
		return err
	}
	if _, err := a.vault.Platform.Project(ctx, a.caller(), project); err != nil {
		return err
	}
	all, err := p.Store.Rules(ctx, project)
	if err != nil {
		return err
	}
	var listed []listedRule
	var rows [][]string
	for _, secret := range slices.Sorted(maps.Keys(all)) {
		if name != "" && secret != name {
			continue
		}
		for _, r := range all[secret] {
			listed = append(listed, listedRule{r.ID(), secret, r})
			rows = append(rows, []string{r.ID(), secret, r.String(), until(r.Expires), made(r)})
		}
	}
	if a.json {
		return a.document(nonNil(listed))
	}
	if len(rows) == 0 {
		a.say("there is no rule; each use is asked about")
		return nil
	}
	return a.table([]string{"RULE", "SECRET", "PERMITS", "UNTIL", "MADE BY"}, rows)
}

func until(t time.Time) string {
	if t.IsZero() {
		return "revoked"
	}
	return stamp(t)
}

// made says who made a rule, and for which assistant.
func made(r grant.Rule) string {
	if r.Client == "" {
		return grant.Visible(r.By)
	}
	return grant.Visible(r.By) + ", for " + grant.Visible(r.Client)
}

// parseSpan reads how long something lasts: as Go writes durations, or in days.
func parseSpan(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	const longest = 10 * 365 * 24 * time.Hour
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		if n, err = strconv.Atoi(days); err == nil && n <= int(longest/(24*time.Hour)) {
			d = time.Duration(n) * 24 * time.Hour
		}
	}
	if err != nil || d <= 0 || d > longest {
		return 0, usage("%q is no time such as 90m, 24h or 30d", text)
	}
	return d, nil
}
