// Package cli is the command line: it parses, calls the platform and prints. One command a file; no business rules here.
package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/cli/vaultcmd"
	"github.com/ArcadeLabsInc/zvault/internal/nearest"
	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// Main runs the command line of this process and returns the exit status.
func Main() int {
	if sandbox.IsInit() {
		return sandbox.Init()
	}
	debug.SetGCPercent(400) // most commands are over before a collection would pay
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := os.Getwd()
	a := &app{streams: streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}, getenv: os.Getenv, dir: dir}
	if err != nil {
		a.fail(err)
		return exitFailed
	}
	return a.run(ctx, os.Args[1:])
}

// run executes one command line.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(vaultcmd.Wire(root, groupServer, a.vaultHost(), args))
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	if closing := a.close(); err == nil {
		err = closing
	}
	var quiet *statusError
	var vaultLike *vaultcmd.Exit
	switch {
	case errors.As(err, &vaultLike):
		vaultLike.Say(a.err)
	case err != nil && !errors.As(err, &quiet):
		a.fail(err)
	}
	return exitStatus(err)
}

// Groups of commands, in the order of the help.
const (
	groupStart   = "start"
	groupSecrets = "secrets"
	groupVault   = "vault"
	groupSafety  = "safety"
	groupServer  = "server"

	groupAssistants = "assistants"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "zvault",
		Short: "Keep secrets out of files and in reach of programs",
		Long: `zvault keeps a project's secrets in an encrypted vault on this machine. Files, code and assistants hold
addresses (zvault://project/KEY); a program gets the values when it is run.

Start in a project that has a .env:

  zvault import .env          put the values into the vault, references into .env.zvault
  zvault run -- npm start     run a program with the values in its environment`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE:          unknownCommand,
	}
	root.AddGroup(
		&cobra.Group{ID: groupStart, Title: "Start here:"},
		&cobra.Group{ID: groupSecrets, Title: "Secrets and environments:"},
		&cobra.Group{ID: groupSafety, Title: "Look and check:"},
		&cobra.Group{ID: groupAssistants, Title: "Assistants that use secrets and never see them:"},
		&cobra.Group{ID: groupVault, Title: "The vault itself:"},
		&cobra.Group{ID: groupServer, Title: "A server, as with Vault's command line (see `zvault help vault`):"},
	)
	f := root.PersistentFlags()
	f.StringVarP(&a.project, "project", "p", "", "project (default: $ZVAULT_PROJECT, else .zvault.toml)")
	f.StringVarP(&a.env, "env", "e", "", "environment (default: $ZVAULT_ENV, else .zvault.toml, else development)")
	f.BoolVar(&a.json, "json", false, "print data as JSON")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print no progress")
	f.BoolVarP(&a.yes, "yes", "y", false, "answer yes to questions")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommandGroupID(groupVault)
	root.SetCompletionCommandGroupID(groupVault)
	a.addCommands(root)
	usageArgs(root)
	return root
}

// addCommands is where a new command is registered: one line.
func (a *app) addCommands(root *cobra.Command) {
	for _, g := range []struct {
		id       string
		commands []*cobra.Command
	}{
		{groupStart, []*cobra.Command{a.initCommand(), a.importCommand(), a.runCommand(), a.setupCommand()}},
		{groupSecrets, []*cobra.Command{a.secretCommand(), a.envCommand(), a.projectCommand(), a.exportCommand(), a.credentialCommand(), a.searchCommand()}},
		{groupSafety, []*cobra.Command{a.statusCommand(), a.checkCommand(), a.explainCommand(), a.refsCommand(), a.scanCommand(), a.doctorCommand(), a.auditCommand()}},
		{groupAssistants, []*cobra.Command{
			a.mcpServerCommand(), a.shieldCommand(), a.approveCommand(), a.aiCommand(), a.redactCommand(), a.hookCommand(), a.redteamCommand(), a.llmsTxtCommand(),
		}},
		{groupVault, []*cobra.Command{a.serverCommand(), a.sealCommand(), a.unsealCommand(), a.rekeyCommand(), a.rotateCommand(), a.backupCommand(), a.restoreCommand(), a.versionCommand()}},
	} {
		for _, c := range g.commands {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
}

// usageArgs makes every complaint about arguments a usage error.
func usageArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return withHint(&usageError{err}, "see `%s --help`", c.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		usageArgs(sub)
	}
}

// unknownCommand answers a command that there is not; also for groups of commands called without one.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	err := usage("there is no command %q", c.CommandPath()+" "+args[0])
	var names []string
	for _, sub := range c.Commands() {
		names = append(append(names, sub.Name()), sub.Aliases...)
	}
	if near, ok := nearest.Of(args[0], names); ok {
		return withHint(err, "did you mean `%s %s`?", c.CommandPath(), near)
	}
	return withHint(err, "see `%s --help`", c.CommandPath())
}

// group is a command that only holds others.
func group(use, short, long string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs, RunE: unknownCommand}
	c.AddCommand(subs...)
	return c
}
