package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/runner"
	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// The values of --sandbox.
const (
	sandboxBest = "best" // what the system offers
	sandboxAll  = "all"  // everything, or the program is not started
)

// confine has the program started in a sandbox: it does not see the vault, other credentials or other processes, and reaches
// nothing but the shield's proxy and brokers. It returns what a hostile program could do all the same.
func (s *shielded) confine(ctx context.Context, c *runner.Command) (open []string, err error) {
	o, err := s.sandboxOptions()
	if err != nil {
		return nil, err
	}
	report := sandbox.Probe()
	c.Prepare = func(args, env []string) (*exec.Cmd, func() (runner.Status, error), error) {
		cmd, _, err := sandbox.Command(ctx, args, env, o)
		if err != nil {
			return nil, nil, err
		}
		return cmd, func() (runner.Status, error) {
			ended, err := sandbox.Ended(cmd)
			return runner.Status{Code: ended.Code, Signal: int(ended.Signal)}, err
		}, nil
	}
	return report.Open, nil
}

func (s *shielded) sandboxOptions() (sandbox.Options, error) {
	a := s.app
	home, err := a.home()
	if err != nil {
		return sandbox.Options{}, err
	}
	person, err := os.UserHomeDir()
	if err != nil {
		return sandbox.Options{}, fmt.Errorf("finding what to hide: %w", err)
	}
	o := sandbox.Options{
		Dir: a.dir, Hide: append(sandbox.Credentials(person, a.getenv), home), HideFiles: sandbox.EnvFiles(), ReadOnly: []string{s.installed.Dir},
	}
	if path := a.getenv(passphraseFile); path != "" {
		o.Hide = append(o.Hide, path)
	}
	if s.flags.sandbox == sandboxAll {
		o.Require = sandbox.All
	}
	for _, address := range s.local {
		_, text, err := net.SplitHostPort(address)
		if err != nil {
			return o, fmt.Errorf("opening the sandbox for the shield: %w", err)
		}
		port, err := strconv.Atoi(text)
		if err != nil {
			return o, fmt.Errorf("opening the sandbox for the shield: %w", err)
		}
		o.Forward = append(o.Forward, sandbox.Forward{Port: port, Address: address})
	}
	o.ReadWrite = append(o.ReadWrite, s.sockets...)
	return o, nil
}
