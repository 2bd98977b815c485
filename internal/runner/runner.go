// Package runner starts a program with an environment that holds secrets, and is to the outside as if the program had been
// started directly: signals, terminal and exit status pass through.
//
// Where nothing has to stay behind, [Exec] replaces this process (on Unix). [Run] stays, to mask what the program prints, to
// restart it when a secret changes, or because it is process 1 of a container.
//
// Values go into the program's environment and nowhere else: not into arguments, not into files.
package runner

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"time"
)

// Exit statuses of a shell for a program that does not start.
const (
	StatusNotExecutable = 126
	StatusNotFound      = 127
)

// StartError says that the program did not start. Status is what a shell would exit with.
type StartError struct {
	Program string
	Status  int
	Err     error
}

// Error names the program and the reason.
func (e *StartError) Error() string { return fmt.Sprintf("starting %s: %v", e.Program, e.Err) }

// Unwrap returns the reason.
func (e *StartError) Unwrap() error { return e.Err }

// Command is a program to run.
type Command struct {
	// Args are the program, as a name to look up in PATH or a path, and its arguments.
	Args []string
	// Env is the whole environment, as Environment makes it.
	Env []string
	// Dir is the directory to start in; empty means the current one.
	Dir string

	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Mask, if not nil, is put before stdout and stderr: it masks secrets in what the program prints.
	Mask func(io.Writer) Masker
	// Restart, if not nil, delivers new environments: each ends the program and starts it again.
	Restart <-chan []string
	// Prepare, if not nil, makes the command that runs Args with Env, a sandbox's for example, instead of what is found in PATH.
	// ended tells, after it has ended, how the program in it did.
	Prepare func(args, env []string) (cmd *exec.Cmd, ended func() (Status, error), err error)
	// Grace is how long a program that is to end may take after a TERM before it is killed; 0 means 10 seconds.
	Grace time.Duration
}

// Masker is a writer that holds back what may yet turn out to be a secret. Flush writes what cannot; Close writes the rest.
type Masker interface {
	io.Writer
	Flush() error
	Close() error
}

// Status is how a program ended: with an exit code, or by a signal if Signal is not 0.
type Status struct {
	Code   int
	Signal int
}

// ExitCode is what a shell makes of the status: 128 plus the signal's number for a program that died of one.
func (s Status) ExitCode() int {
	if s.Signal != 0 {
		return 128 + s.Signal
	}
	return s.Code
}

func (c *Command) grace() time.Duration {
	if c.Grace == 0 {
		return 10 * time.Second
	}
	return c.Grace
}

// lookUp finds the program as a shell would, in the PATH of the environment that it will get.
func (c *Command) lookUp() (string, error) {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return "", &StartError{Status: StatusNotFound, Err: errors.New("no program named")}
	}
	path, err := lookPath(c.Args[0], c.Dir, c.Env)
	if err == nil || errors.Is(err, exec.ErrDot) {
		return path, nil
	}
	status := StatusNotFound
	if errors.Is(err, fs.ErrPermission) {
		status = StatusNotExecutable
	}
	var inner *exec.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return "", &StartError{Program: c.Args[0], Status: status, Err: err}
}
