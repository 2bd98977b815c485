package runner

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Run starts the program, passes signals and streams through, and returns when it has ended and all that it printed has
// been written. An error means that it did not start (*StartError) or that its output could not be written; how the
// program ended is the Status.
func Run(ctx context.Context, c *Command) (Status, error) {
	forward, stop := catchSignals()
	defer stop()
	for {
		p, err := c.start()
		if err != nil {
			return Status{}, err
		}
		next, status, err := c.attend(ctx, p, forward)
		if err != nil || next == nil {
			return status, err
		}
		c.Env = next
	}
}

// process is a program under way.
type process struct {
	cmd     *exec.Cmd
	ended   func() (Status, error) // nil: as cmd did
	tty     *terminalPair          // nil without one
	copies  sync.WaitGroup
	mu      sync.Mutex
	failure error
	done    chan Status
}

// start starts the program once.
func (c *Command) start() (*process, error) {
	p := &process{done: make(chan Status, 1)}
	if err := c.prepare(p); err != nil {
		return nil, err
	}
	closers, err := c.connect(p)
	if err != nil {
		return nil, &StartError{Program: c.Args[0], Status: StatusNotExecutable, Err: err}
	}
	err = startChild(p.cmd)
	for _, end := range closers { // the child has its own
		err = errors.Join(err, end.Close())
	}
	if err != nil {
		return nil, &StartError{Program: c.Args[0], Status: StatusNotExecutable, Err: err}
	}
	go func() { p.done <- p.wait() }()
	return p, nil
}

// prepare makes the command.
func (c *Command) prepare(p *process) error {
	if c.Prepare != nil {
		var err error
		p.cmd, p.ended, err = c.Prepare(c.Args, c.Env)
		switch {
		case errors.Is(err, exec.ErrNotFound):
			return &StartError{Program: c.Args[0], Status: StatusNotFound, Err: err}
		case err != nil:
			return &StartError{Program: c.Args[0], Status: StatusNotExecutable, Err: err}
		}
		return nil
	}
	path, err := c.lookUp()
	if err != nil {
		return err
	}
	p.cmd = &exec.Cmd{Path: path, Args: c.Args, Env: c.Env, Dir: c.Dir}
	return nil
}

// wait waits for the program and tells how it ended.
func (p *process) wait() Status {
	s := waitChild(p.cmd)
	if p.ended == nil {
		return s
	}
	s, err := p.ended()
	if err != nil {
		p.note(err)
		return Status{Code: StatusNotExecutable}
	}
	return s
}

// connect gives the program its streams: those of ours as they are, or, where they are to be masked, a terminal or pipes.
func (c *Command) connect(p *process) ([]io.Closer, error) {
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	if c.Mask == nil {
		return nil, nil
	}
	if isTerminal(c.Stdout) && isTerminal(c.Stdin) {
		return c.connectTerminal(p)
	}
	var closers []io.Closer
	for _, s := range []struct {
		end *io.Writer
		to  io.Writer
	}{{&p.cmd.Stdout, c.Stdout}, {&p.cmd.Stderr, c.Stderr}} {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		*s.end = w
		closers = append(closers, w)
		p.copies.Go(func() { p.note(pump(c.Mask(s.to), r)) })
	}
	return closers, nil
}

// note keeps the first failure to write what the program printed.
func (p *process) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure == nil {
		p.failure = err
	}
}

// flushAfter is how long what is held back waits for more when the program pauses.
const flushAfter = 20 * time.Millisecond

// pump copies r to m. When r pauses, what cannot be part of a secret any more is flushed, so that a prompt appears.
func pump(m Masker, r io.ReadCloser) error {
	chunks := make(chan []byte)
	go func() {
		defer close(chunks)
		for {
			b := make([]byte, 32<<10)
			n, err := r.Read(b)
			if n > 0 {
				chunks <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	pause := time.NewTimer(flushAfter)
	defer pause.Stop()
	var failed error
	for {
		select {
		case b, ok := <-chunks:
			if !ok {
				return errors.Join(failed, ignoreBroken(m.Close()), r.Close())
			}
			if failed == nil {
				if _, failed = m.Write(b); failed != nil {
					failed = errors.Join(failed, r.Close()) // the program gets the broken pipe that we got
				}
			}
			pause.Reset(flushAfter)
		case <-pause.C:
			if failed == nil {
				failed = m.Flush()
			}
		}
	}
}

// ignoreBroken leaves out what an earlier error has told already.
func ignoreBroken(err error) error {
	if isBrokenPipe(err) {
		return nil
	}
	return err
}

// attend waits for the end of the program, a signal, or another environment; then next is that environment.
func (c *Command) attend(ctx context.Context, p *process, forward <-chan os.Signal) (next []string, status Status, err error) {
	cancelled := ctx.Done()
	for {
		select {
		case status = <-p.done:
			return nil, status, p.finish()
		case sig := <-forward:
			deliver(p, sig)
		case next = <-c.Restart:
			c.end(p)
			return next, Status{}, p.finish()
		case <-cancelled:
			cancelled = nil
			terminate(p)
		}
	}
}

// end makes the program end: it is asked to, and killed if it does not within the grace.
func (c *Command) end(p *process) {
	terminate(p)
	select {
	case <-p.done:
	case <-time.After(c.grace()):
		kill(p)
		<-p.done
	}
}

// finish waits until all output is written and gives the terminal back.
func (p *process) finish() error {
	p.copies.Wait()
	if p.tty != nil {
		p.note(p.tty.restore())
	}
	if isBrokenPipe(p.failure) {
		return nil // whoever read our output wants no more of it
	}
	return p.failure
}
