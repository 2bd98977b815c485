package runner

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// catchSignals keeps Ctrl-C from ending us: the program, in the same console, gets it by itself.
func catchSignals() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 16)
	signal.Notify(c, os.Interrupt)
	return c, func() { signal.Stop(c) }
}

func deliver(*process, os.Signal) {}

// terminate can only kill: there is no signal to ask with.
func terminate(p *process) { kill(p) }

func kill(p *process) {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.note(err)
	}
}

func isBrokenPipe(err error) bool {
	return errors.Is(err, syscall.ERROR_BROKEN_PIPE) || errors.Is(err, syscall.Errno(232)) // ERROR_NO_DATA
}

// isTerminal: the program gets pipes when its output is masked; there is no terminal to put between.
func isTerminal(any) bool { return false }

// terminalPair is not used here.
type terminalPair struct{}

func (*terminalPair) restore() error { return nil }

func (c *Command) connectTerminal(*process) ([]io.Closer, error) { return nil, errors.ErrUnsupported }

func startChild(cmd *exec.Cmd) error { return cmd.Start() }

func waitChild(cmd *exec.Cmd) Status {
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return Status{Code: 1}
	}
	return Status{Code: cmd.ProcessState.ExitCode()}
}

// Die ends this process with the program's exit code.
func Die(s Status) { os.Exit(s.Code) }
