package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func (a *app) secretSetCommand() *cobra.Command {
	var personal, raw bool
	var comment string
	c := &cobra.Command{
		Use:   "set NAME",
		Short: "Set a secret to a value from a prompt or stdin",
		Example: `  zvault secret set STRIPE_KEY                 asks for the value
  pass stripe | zvault secret set STRIPE_KEY   takes it from stdin, without the last newline
  zvault secret set CERT < server.pem`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && !strings.Contains(args[0], "=") {
				return nil
			}
			if len(args) == 0 {
				return errors.New("name the secret")
			}
			return errors.New("a value is not taken from the command line, where every program and the shell's history can see it; " +
				"give only the name, and the value at the prompt or on stdin")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, e, err := a.opened(ctx)
			if err != nil {
				return err
			}
			e.Personal = personal
			value, err := a.readValue(args[0])
			if err != nil {
				return err
			}
			change := platform.Change{Name: args[0], Value: &value}
			if raw {
				kind := platform.TypeRaw
				change.Type = &kind
			}
			if cmd.Flags().Changed("comment") {
				change.Comment = &comment
			}
			return a.apply(ctx, s, e, platform.Batch{Changes: []platform.Change{change}, Message: "set " + args[0]})
		},
	}
	personalFlag(c, &personal)
	c.Flags().BoolVar(&raw, "raw", false, "take the value as it is, even if it holds zvault:// references")
	c.Flags().StringVar(&comment, "comment", "", "what the secret is for")
	return c
}

// readValue takes a value from the terminal, or all of stdin without one trailing newline.
func (a *app) readValue(name string) (secret.Value, error) {
	if isTerminal(a.in) {
		v, err := a.askSecret("value of " + name)
		return secret.New(v), err
	}
	v, err := io.ReadAll(io.LimitReader(a.in, platform.MaxValue+3))
	if err != nil {
		return secret.Value{}, fmt.Errorf("reading the value from stdin: %w", err)
	}
	if n := len(v); n > 0 && v[n-1] == '\n' {
		v = v[:n-1]
		if n > 1 && v[n-2] == '\r' {
			v = v[:n-2]
		}
	}
	return secret.New(v), nil
}
