//go:build unix

package runner

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// forwarded are the signals that the program gets from us. With a terminal in common the keyboard's INT and QUIT reach it
// by themselves; we then only must not die of them.
var forwarded = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT}

func catchSignals() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 16)
	for _, s := range forwarded {
		if !signal.Ignored(s) { // nohup's HUP stays ignored
			signal.Notify(c, s)
		}
	}
	return c, func() { signal.Stop(c) }
}

// deliver passes a signal on. One that the keyboard made has reached the program already, for it is in the terminal's
// foreground group with us.
func deliver(p *process, sig os.Signal) {
	if p.tty != nil && sig == syscall.SIGWINCH {
		p.note(p.tty.resize())
		return
	}
	if (sig == syscall.SIGINT || sig == syscall.SIGQUIT) && p.tty == nil && inForeground() {
		return
	}
	send(p, sig)
}

// inForeground reports whether this process is in the foreground group of its terminal.
func inForeground() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return errors.Join(err, tty.Close()) == nil && group == unix.Getpgrp()
}

// send signals the program; that it has ended meanwhile is no matter.
func send(p *process, sig os.Signal) {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.note(err)
	}
}

func terminate(p *process) { send(p, syscall.SIGTERM) }

func kill(p *process) { send(p, syscall.SIGKILL) }

func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

func isTerminal(s any) bool {
	f, ok := s.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func statusOf(ws syscall.WaitStatus) Status {
	if ws.Signaled() {
		return Status{Signal: int(ws.Signal())}
	}
	return Status{Code: ws.ExitStatus()}
}

// Die ends this process as the program ended: by the same signal, or with its exit code. Process 1 cannot die of a signal
// and exits with 128 plus its number.
func Die(s Status) {
	if s.Signal != 0 && os.Getpid() != 1 {
		sig := syscall.Signal(s.Signal)
		signal.Reset(sig)
		defaultAction(sig)
		_ = Harden() // no core of ours, whatever the signal: the program has left its own
		if err := syscall.Kill(os.Getpid(), sig); err == nil && sig != syscall.SIGCONT {
			time.Sleep(time.Second) // the signal is on its way
		}
	}
	os.Exit(s.ExitCode())
}

// startChild and waitChild are exec.Cmd's own, except for process 1, which reaps everybody.
func startChild(cmd *exec.Cmd) error { return reaper.start(cmd) }

func waitChild(cmd *exec.Cmd) Status { return reaper.wait(cmd) }
