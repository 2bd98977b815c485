package vaultcmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// marked is the annotation of commands whose flags may be typed with one dash.
const marked = "vault"

// OneDash lets the flags of a command be typed with one dash as well, -dev for --dev, if [Wire] gets its arguments.
func OneDash(c *cobra.Command) {
	if c.Annotations == nil {
		c.Annotations = map[string]string{}
	}
	c.Annotations[marked] = ""
}

// statuses ends the help of every command.
const statuses = `

Exit status: 0 done; 1 typed wrongly, or something on this machine; 2 the server refused or could not be reached.
Flags may be typed with one dash or two. Where the server is and who asks: see ` + "`zvault help vault`."

// spec describes one command.
type spec struct {
	use, short, long, example string
	// least and most are numbers of arguments; most below zero is any.
	least, most int
	// field, format, detailed and raw say which flags of output the command has; raw allows -format=raw.
	field, format, detailed, raw bool
	flags                        func(*pflag.FlagSet)
	run                          func(*call) error
}

// call is one run of a command.
type call struct {
	*Host
	*common
	ctx   context.Context
	args  []string
	given func(flag string) bool
}

// command turns a spec into a command.
func (h *Host) command(s spec) *cobra.Command {
	c := &cobra.Command{
		Use: s.use, Short: s.short, Long: wrapAt(helpWidth, first(s.long, s.short+".")) + statuses, Example: s.example, Args: cobra.ArbitraryArgs,
		Annotations: map[string]string{marked: ""}, DisableFlagsInUseLine: true,
	}
	run := h.bind(c, s)
	c.RunE = func(c *cobra.Command, args []string) error { return run(c.Context(), args) }
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%v", err) })
	return c
}

// bind adds the flags of a spec to a command, and returns what runs it.
func (h *Host) bind(c *cobra.Command, s spec) func(context.Context, []string) error {
	f := &common{}
	f.register(c.Flags(), s)
	if s.flags != nil {
		s.flags(c.Flags())
	}
	return func(ctx context.Context, args []string) error {
		if len(args) < s.least {
			return usage("Not enough arguments (expected %d, got %d)", s.least, len(args))
		}
		if s.most >= 0 && len(args) > s.most {
			return usage("Too many arguments (expected %s, got %d)", between(s.least, s.most), len(args))
		}
		if err := f.settle(h, s); err != nil {
			return err
		}
		return h.end(s.run(&call{Host: h, common: f, ctx: ctx, args: args, given: c.Flags().Changed}))
	}
}

func between(least, most int) string {
	if least == most {
		return fmt.Sprint(most)
	}
	return fmt.Sprintf("%d-%d", least, most)
}

// end prints a request that was not to be sent, and makes every other error an Exit.
func (h *Host) end(err error) error {
	var kept *vaultclient.NotSent
	var exit *Exit
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kept):
		if _, err := fmt.Fprintln(h.Out, kept.Curl()); err != nil {
			return broken(err, "writing output")
		}
		return nil
	case errors.As(err, &exit):
		return exit
	}
	return &Exit{Status: exitServer, text: err.Error(), cause: err}
}

// group is a command that only holds others.
func group(use, short, long string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs, Annotations: map[string]string{marked: ""},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return usage("there is no command %q; see `%s --help`", c.CommandPath()+" "+args[0], c.CommandPath())
		},
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%v", err) })
	c.AddCommand(subs...)
	return c
}

// commands makes commands of specs.
func (h *Host) commands(specs ...spec) []*cobra.Command {
	all := make([]*cobra.Command, len(specs))
	for i, s := range specs {
		all[i] = h.command(s)
	}
	return all
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
