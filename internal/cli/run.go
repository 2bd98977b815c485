package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/resolve"
	"github.com/ArcadeLabsInc/zvault/internal/runner"
)

// runFlags are what `run` can be told.
type runFlags struct {
	file          string
	only          []string
	prefix        string
	override      bool
	noPersonal    bool
	redact, watch bool
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARGUMENT...]",
		Short: "Run a program with the secrets in its environment",
		Long: `Run a program with the secrets of an environment, and the entries of .env.zvault, as environment variables. Signals, terminal and exit
status pass through as if it had been started directly. A reference that cannot be resolved stops it before the program starts.
What opens the vault ($ZVAULT_UNSEAL_KEY, $ZVAULT_PASSPHRASE_FILE) is not passed on.

A variable that is set already keeps its value, as with dotenv; --override prefers the vault. Your own overrides
(` + "`zvault secret set --personal`" + `) apply, except in CI. ` + "`zvault explain NAME`" + ` shows which layer wins.`,
		Example: `  zvault run -- npm start
  zvault run --env staging -- ./server --port 8080
  zvault run --file services/api/.env.zvault -- make test
  zvault run --redact --watch -- npm run dev`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runProgram(context.WithoutCancel(cmd.Context()), f, args)
		},
	}
	c.Flags().SetInterspersed(false)
	c.Flags().StringVarP(&f.file, "file", "f", "", "only the entries of this file, not all secrets of the environment")
	c.Flags().StringSliceVar(&f.only, "only", nil, "only these variables")
	c.Flags().StringVar(&f.prefix, "prefix", "", "only variables that start with this")
	c.Flags().BoolVar(&f.override, "override", false, "the vault wins over variables that are set already")
	c.Flags().BoolVar(&f.noPersonal, "no-overrides", false, "leave your personal overrides out")
	c.Flags().BoolVar(&f.redact, "redact", false, "mask the values in what the program prints")
	c.Flags().BoolVar(&f.watch, "watch", false, "start the program again when a secret changes")
	return c
}

func (a *app) runProgram(ctx context.Context, f runFlags, args []string) error {
	if err := runner.Harden(); err != nil {
		a.warn("%v", err)
	}
	e, err := a.scope()
	if err != nil {
		return err
	}
	w := &watcher{app: a, scope: e, flags: f, mask: &latestMask{}}
	if f.watch {
		if _, err := a.open(ctx); err != nil {
			return err
		}
		w.seen = a.stamp(ctx, f) // before the values are read, so that no change between is missed
	}
	a.once = !f.watch
	variables, err := a.variables(ctx, e, f)
	if err != nil {
		return err
	}
	env, err := runner.Environment(inherited(), variables)
	if err != nil {
		return err
	}
	command := &runner.Command{Args: args, Env: env, Stdin: a.in, Stdout: a.out, Stderr: a.err}
	if f.watch {
		w.running = env
		return a.runWatched(ctx, w, command, variables)
	}
	if err := a.leave(); err != nil {
		return err
	}
	if f.redact {
		if command.Mask, err = masking(variables); err != nil {
			return err
		}
	} else if runner.CanExec && os.Getpid() != 1 {
		return startFailure(runner.Exec(command))
	}
	status, err := runner.Run(ctx, command)
	if err != nil {
		return startFailure(err)
	}
	runner.Die(status)
	return nil
}

// startFailure gives a program that does not start the exit status that a shell would.
func startFailure(err error) error {
	var start *runner.StartError
	if errors.As(err, &start) {
		return &exitError{error: err, status: start.Status}
	}
	return err
}

// masking makes what masks the values of variables.
func masking(variables []runner.Variable) (func(io.Writer) runner.Masker, error) {
	secrets := make([]redact.Secret, len(variables))
	for i, v := range variables {
		secrets[i] = redact.Secret{Name: v.Name, Value: v.Value}
	}
	m, err := redact.New(secrets)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) runner.Masker { return m.Writer(w) }, nil
}

// variables resolves what the program gets beyond what it inherits.
func (a *app) variables(ctx context.Context, e platform.Env, f runFlags) ([]runner.Variable, error) {
	over, err := a.layers(f.file)
	if err != nil {
		return nil, err
	}
	process := over[len(over)-1]
	if f.override {
		over = over[:len(over)-1]
	}
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	resolved, err := s.Reveal(ctx, a.caller(), e, platform.Selection{
		Over: over, NoPersonal: f.noPersonal || a.inCI(), Keep: f.keep(over),
	})
	if err != nil {
		return nil, describeUnresolved(err)
	}
	return choose(resolved, process), nil
}

// keep says which names are resolved at all.
func (f runFlags) keep(over []resolve.Layer) func(string) bool {
	return func(name string) bool {
		if len(f.only) > 0 && !slices.Contains(f.only, name) || !strings.HasPrefix(name, f.prefix) {
			return false
		}
		if f.file == "" {
			return true
		}
		_, inFile := over[0].Items[name]
		return inFile
	}
}

// choose leaves out what the program inherits anyway.
func choose(resolved []resolve.Resolved, process resolve.Layer) []runner.Variable {
	var out []runner.Variable
	for _, v := range resolved {
		if v.Layer == resolve.Process && v.Value.Equal(process.Items[v.Name].Value) {
			continue
		}
		out = append(out, runner.Variable{Name: v.Name, Value: v.Value})
	}
	return out
}

// describeUnresolved lists every name that has no value.
func describeUnresolved(err error) error {
	var broken *resolve.Error
	if !errors.As(err, &broken) {
		return err
	}
	return withHint(&platform.Error{Kind: platform.NotFound, Message: fmt.Sprintf("%s cannot be resolved", count(len(broken.Problems), "variable")), Err: broken},
		"`zvault explain NAME` shows where a value should come from; `zvault secret set NAME` sets it")
}
