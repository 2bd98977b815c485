package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/resolve"
	"github.com/ArcadeLabsInc/zvault/internal/runner"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/shield/authority"
	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
	"github.com/ArcadeLabsInc/zvault/internal/shield/proxy"
	"github.com/ArcadeLabsInc/zvault/internal/shield/rule"
)

// shieldFlags are what `shield` can be told.
type shieldFlags struct {
	agent, file     string
	only, allow     []string
	strict, inspect bool
	noPersonal      bool
	sandbox         string // "", sandboxBest or sandboxAll
}

func (a *app) shieldCommand() *cobra.Command {
	var f shieldFlags
	c := &cobra.Command{
		Use:   "shield [flags] -- COMMAND [ARGUMENT...]",
		Short: "Run a program or an assistant with placeholders; values exist only on the wire",
		Long: `Run a program, an assistant for example, whose environment holds placeholders in the place of secrets. A proxy on this machine puts
the values into requests to the hosts that a secret may be sent to, and masks them in what comes back. A placeholder that goes
anywhere else stops the request, and is written into the audit log.

Where a secret may go say ` + "`zvault secret allow`" + `, the schema (` + "`hosts`" + `), and for this run --allow; in the headers that carry credentials,
unless the rule names other places. About a secret without a rule the person is asked (` + "`zvault approve`" + `).

  --allow 'GITHUB_TOKEN=api.github.com,github.com'
  --allow 'MAPS_KEY=maps.example.com;in=query:key;methods=GET;paths=/v1/**;max=100'

Connections to other hosts pass as they are; --strict closes them, --inspect looks for placeholders in them.`,
		Example: `  zvault shield --agent claude -- claude
  zvault shield --strict --only STRIPE_KEY --allow STRIPE_KEY=api.stripe.com -- npm test`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.sandbox != "" && f.sandbox != sandboxBest && f.sandbox != sandboxAll {
				return usage("--sandbox=%s: choose %s or %s", f.sandbox, sandboxBest, sandboxAll)
			}
			return a.runShielded(context.WithoutCancel(cmd.Context()), f, args)
		},
	}
	c.Flags().SetInterspersed(false)
	c.Flags().StringVar(&f.agent, "agent", "", "who the program is, for the audit log")
	c.Flags().StringVarP(&f.file, "file", "f", "", "references from this file (default: .env.zvault)")
	c.Flags().StringSliceVar(&f.only, "only", nil, "only these secrets")
	c.Flags().StringArrayVar(&f.allow, "allow", nil, "where a secret may be sent: NAME=HOST[,HOST...][;in=PLACE,...][;methods=...][;paths=...][;max=N]")
	c.Flags().BoolVar(&f.strict, "strict", false, "close all hosts that no rule names")
	c.Flags().BoolVar(&f.inspect, "inspect", false, "look into connections to all hosts, and stop placeholders there too")
	c.Flags().StringVar(&f.sandbox, "sandbox", "", "keep the program from the vault, other credentials, other processes and the network: `best` takes what the system offers, all or nothing with =all")
	c.Flags().Lookup("sandbox").NoOptDefVal = sandboxBest
	c.Flags().BoolVar(&f.noPersonal, "no-overrides", false, "leave your personal overrides out")
	return c
}

// shielded is one run of a program under the shield.
type shielded struct {
	app       *app
	scope     platform.Env
	flags     shieldFlags
	run       string // the id of the run in the audit log
	resolved  []resolve.Resolved
	rules     map[string][]grant.Rule // of schema and flags
	stored    map[string][]grant.Rule // of the vault
	grants    *grant.Store
	session   string
	canaries  map[string]bool
	set       *placeholder.Set
	authority *authority.Authority
	proxy     *proxy.Proxy
	installed *authority.Installation
	served    chan error
	brokers   *brokers
	stopped   atomic.Int64 // requests
	local     []string     // the addresses on this machine that the program needs: the proxy's, the brokers'
	sockets   []string     // and the sockets
}

func (a *app) runShielded(ctx context.Context, f shieldFlags, args []string) error {
	if err := runner.Harden(); err != nil {
		a.warn("%v", err)
	}
	if len(f.allow) > 0 {
		if err := a.notAssistant("allowing a secret"); err != nil {
			return err
		}
	}
	e, err := a.scope()
	if err != nil {
		return err
	}
	s := &shielded{app: a, scope: e, flags: f, run: runID()}
	status, err := s.do(ctx, args)
	err = errors.Join(err, s.close(), a.close())
	if err != nil {
		return startFailure(err)
	}
	runner.Die(status)
	return nil
}

func runID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func (s *shielded) do(ctx context.Context, args []string) (runner.Status, error) {
	if err := s.reveal(ctx); err != nil {
		return runner.Status{}, err
	}
	if err := s.listen(); err != nil {
		return runner.Status{}, err
	}
	masks, err := redact.New(append(s.proxy.Secrets(), s.whole()...))
	if err != nil {
		return runner.Status{}, err
	}
	if err := s.broker(ctx, masks); err != nil {
		return runner.Status{}, err
	}
	env, err := s.environment()
	if err != nil {
		return runner.Status{}, err
	}
	command := &runner.Command{
		Args: args, Env: env, Stdin: s.app.in, Stdout: s.app.out, Stderr: s.app.err,
		Mask: func(w io.Writer) runner.Masker { return masks.Writer(w) },
	}
	if err := s.announce(ctx, command); err != nil {
		return runner.Status{}, err
	}
	status, err := runner.Run(ctx, command)
	if n := s.stopped.Load(); n > 0 {
		s.app.say("zvault: shield: stopped %s; `zvault audit list` shows why", count(int(n), "request"))
	}
	return status, err
}

// reveal reads the environment's secrets and where they may go, and makes placeholders.
func (s *shielded) reveal(ctx context.Context) error {
	a := s.app
	over, err := a.fileLayer(s.flags.file)
	if err != nil {
		return err
	}
	service, err := a.open(ctx)
	if err != nil {
		return err
	}
	s.resolved, err = service.Reveal(ctx, a.caller(), s.scope, platform.Selection{
		Over: over, NoPersonal: s.flags.noPersonal || a.inCI(),
		Keep: func(name string) bool { return len(s.flags.only) == 0 || slices.Contains(s.flags.only, name) },
	})
	if err != nil {
		return describeUnresolved(err)
	}
	if s.canaries, err = canaries(ctx, a, service, s.scope); err != nil {
		return err
	}
	schema, _, err := service.Schema(ctx, a.caller(), s.scope.Project)
	if err != nil {
		return err
	}
	if s.rules, err = s.flags.rules(time.Now()); err != nil {
		return err
	}
	for name, r := range schema {
		if len(r.Hosts) > 0 {
			s.rules[name] = append(s.rules[name], grant.Rule{Tools: []string{rule.Tool}, Hosts: r.Hosts, In: []string{"header"}})
		}
	}
	s.grants = grant.NewStore(a.vault.Barrier, nil)
	if s.stored, err = s.grants.Rules(ctx, s.scope.Project); err != nil {
		return err
	}
	if s.session, err = s.grants.Begin(ctx, s.asker()); err != nil {
		return err
	}
	return s.hold(schema)
}

// asker is who wants to use secrets.
func (s *shielded) asker() grant.Asker {
	c := s.app.caller()
	return grant.Asker{Person: c.Actor.Name, Client: first(s.flags.agent, "zvault shield"), Face: audit.CLI, PID: c.Client.PID, Session: s.session}
}

// patience is how long a request waits for a person. Programs wait for an answer longer than that.
const patience = 25 * time.Second

// gate asks the person about what no rule settles.
func (s *shielded) gate() grant.Gate {
	return grant.NewGate(s.grants, s.asker(), s.app.vault.Audit, grant.GateOptions{Patience: patience, Notify: func(_ context.Context, r grant.Request) {
		s.app.say("zvault: shield: %s wants to use %s at %s; `zvault approve %s` in another terminal", grant.Visible(r.Asker.Client), strings.Join(r.Use.Secrets, ", "), grant.Visible(r.Use.Host), r.ID)
	}})
}

// hold makes the placeholders.
func (s *shielded) hold(schema platform.Schema) (err error) {
	var all []placeholder.Secret
	for _, v := range s.resolved {
		sensitive := schema[v.Name].Sensitive
		if sensitive != nil && !*sensitive {
			continue
		}
		all = append(all, placeholder.Secret{Name: v.Name, Value: v.Value, Canary: s.canaries[v.Name], Force: len(s.rules[v.Name])+len(s.stored[v.Name]) > 0 || sensitive != nil})
	}
	for _, rules := range []map[string][]grant.Rule{s.rules, s.stored} {
		maps.DeleteFunc(rules, func(name string, _ []grant.Rule) bool { // of what the program does not get
			return !slices.ContainsFunc(s.resolved, func(v resolve.Resolved) bool { return v.Name == name })
		})
	}
	s.set, err = placeholder.New(all)
	return err
}

// listen starts the proxy.
func (s *shielded) listen() (err error) {
	policy := rule.New(rule.Rules{Stored: s.stored, Own: s.rules}, s.gate(), time.Now)
	var scope authority.Scope
	if !s.flags.inspect {
		scope.Domains, scope.Networks = policy.Hosts()
	}
	if s.authority, err = authority.New(scope, time.Now); err != nil {
		return err
	}
	s.proxy, err = proxy.New(proxy.Config{
		Set: s.set, Policy: policy, Authority: s.authority, Dialer: &egress.Dialer{}, Record: s.record,
		Project: s.scope.Project, Env: s.scope.Slug, Strict: s.flags.strict, Inspect: s.flags.inspect, SameUser: true,
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("opening the shield's proxy: %w", err)
	}
	s.local = append(s.local, l.Addr().String())
	s.served = make(chan error, 1)
	go func() { s.served <- s.proxy.Serve(l) }()
	s.installed, err = authority.Install(s.authority, s.proxy.URL(l.Addr()), "", s.app.getenv)
	return err
}

// record writes a use, or a refusal, into the audit log.
func (s *shielded) record(ctx context.Context, e proxy.Event) error {
	c := s.app.caller()
	entry := audit.Entry{
		Actor: c.Actor, Client: c.Client, Action: "secret.use", Project: s.scope.Project, Environment: s.scope.Slug, Request: s.run, Outcome: audit.OK,
		Reason: fmt.Sprintf("%s of %s %s://%s:%d%s", first(e.Place, "address"), e.Method, e.Scheme, e.Host, e.Port, e.Path),
	}
	entry.Client.Name = "zvault shield"
	if s.flags.agent != "" {
		entry.Actor = audit.Actor{Kind: audit.Assistant, ID: c.Actor.ID + "/" + s.flags.agent, Name: s.flags.agent}
	}
	if e.Secret != "" {
		entry.Keys = []string{e.Secret}
	}
	if e.Refused != "" {
		s.stopped.Add(1)
		entry.Outcome, entry.Reason = audit.Denied, e.Refused+": "+entry.Reason
	}
	if e.Alarm {
		entry.Action = alarmAction
		s.app.warn("shield: ALARM: somebody has taken %s; stopped on its way to %s: %s. Rotate it, and see `zvault audit list`", e.Secret, grant.Visible(e.Host), e.Refused)
	}
	return s.app.vault.Audit.Record(ctx, entry)
}

// environment is the program's: what it inherits, placeholders, and what leads it to the proxy.
func (s *shielded) environment() ([]string, error) {
	env, err := s.inherited()
	if err != nil {
		return nil, err
	}
	variables := make([]runner.Variable, 0, len(s.resolved))
	for _, v := range s.resolved {
		if text := first(s.brokers.variables[v.Name], s.set.Variable(v.Name)); text != "" {
			v.Value = secret.Of(text)
		}
		variables = append(variables, runner.Variable{Name: v.Name, Value: v.Value})
	}
	more := append(s.installed.Variables, "ZVAULT_SHIELD=1")
	if path := s.brokers.variables["SSH_AUTH_SOCK"]; path != "" {
		more = append(more, "SSH_AUTH_SOCK="+path)
	}
	for _, entry := range more {
		name, value, _ := strings.Cut(entry, "=")
		variables = append(variables, runner.Variable{Name: name, Value: secret.Of(value)})
	}
	return runner.Environment(env, variables)
}

// inherited is the environment of this process, with placeholders where a value stands in it under another name.
func (s *shielded) inherited() ([]string, error) {
	pieces := map[string]string{}
	var all []redact.Secret
	for i, p := range s.set.Pieces() {
		name := strconv.Itoa(i)
		pieces[name] = p.Placeholder
		all = append(all, redact.Secret{Name: name, Value: p.Value})
	}
	masks, err := redact.New(all, redact.WithMask(func(name string) string { return pieces[name] }))
	if err != nil {
		return nil, err
	}
	env := inherited()
	for i, entry := range env {
		env[i] = masks.String(entry)
	}
	return env, nil
}

// whole are the values that have placeholders in parts only, such as a URL with a password.
func (s *shielded) whole() []redact.Secret {
	var all []redact.Secret
	open := s.set.Open()
	for _, v := range s.resolved {
		if s.set.Variable(v.Name) != "" && !slices.Contains(open, v.Name) {
			all = append(all, redact.Secret{Name: v.Name, Value: v.Value})
		}
	}
	return all
}

// announce says what the shield does and what it cannot.
func (s *shielded) announce(ctx context.Context, command *runner.Command) error {
	a := s.app
	protection := "not sandboxed: a hostile program of your user could still read this vault and your files, and reach the network past the proxy"
	if s.flags.sandbox != "" {
		open, err := s.confine(ctx, command)
		if err != nil {
			return err
		}
		protection = "sandboxed"
		if len(open) > 0 {
			protection = "sandboxed as far as this system can, but: " + strings.Join(open, "; ")
		}
	}
	a.say("zvault: shield: %s; %s", count(len(s.set.Pieces()), "placeholder"), protection)
	if open := s.set.Open(); len(open) > 0 {
		a.say("zvault: shield: handed over as they are, too plain to protect: %s", strings.Join(open, ", "))
	}
	if s.installed.WithoutRoots {
		a.say("zvault: shield: this system keeps its certificates where programs other than node and deno are not led to; they may refuse the proxy")
	}
	return nil
}

// close ends the proxy and removes what was written.
func (s *shielded) close() error {
	errs := []error{s.brokers.close()}
	if s.proxy != nil {
		errs = append(errs, s.proxy.Close())
	}
	if s.served != nil {
		errs = append(errs, <-s.served)
	}
	if s.installed != nil {
		errs = append(errs, s.installed.Remove())
	}
	if s.session != "" {
		errs = append(errs, s.grants.End(context.Background(), s.session))
	}
	return errors.Join(errs...)
}
