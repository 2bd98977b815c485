//go:build unix

package runner

import (
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// terminalPair is a terminal of the program's own, between it and ours: so it still talks to a terminal though we mask what
// it prints. Ours is raw meanwhile; keys, also Ctrl-C, go to the program's terminal, which acts on them.
type terminalPair struct {
	ours    *os.File
	program *os.File // our end of the program's terminal
	state   *term.State
}

func (c *Command) connectTerminal(p *process) ([]io.Closer, error) {
	ours, ok := c.Stdin.(*os.File)
	if !ok {
		return nil, errors.New("stdin is no file")
	}
	program, end, err := pty.Open()
	if err != nil {
		return nil, err
	}
	p.tty = &terminalPair{ours: ours, program: program}
	if err := p.tty.resize(); err != nil {
		return nil, err
	}
	if p.tty.state, err = term.MakeRaw(int(ours.Fd())); err != nil {
		return nil, err
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = end, end, end
	if p.cmd.SysProcAttr == nil {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	p.cmd.SysProcAttr.Setsid, p.cmd.SysProcAttr.Setctty = true, true
	go func() {
		// Ends when the program's terminal is closed; a key typed after that is lost with it.
		_, _ = io.Copy(program, ours)
	}()
	p.copies.Go(func() { p.note(pump(c.Mask(c.Stdout), ptyReader{program})) })
	return []io.Closer{end}, nil
}

// ptyReader reads a terminal's end: on Linux, EIO is how it says that the other end is closed.
type ptyReader struct{ *os.File }

func (r ptyReader) Read(b []byte) (int, error) {
	n, err := r.File.Read(b)
	if errors.Is(err, syscall.EIO) {
		return n, io.EOF
	}
	return n, err
}

// resize gives the program's terminal the size of ours.
func (t *terminalPair) resize() error { return pty.InheritSize(t.ours, t.program) }

// restore makes our terminal as it was.
func (t *terminalPair) restore() error { return term.Restore(int(t.ours.Fd()), t.state) }
