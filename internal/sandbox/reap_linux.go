package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// catchSignals begins to collect the signals that are passed on. Process 1 of a namespace would ignore them else.
func catchSignals() <-chan os.Signal {
	c := make(chan os.Signal, 16)
	for _, s := range []os.Signal{
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM,
		syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU,
	} {
		if !signal.Ignored(s) { // nohup's HUP stays ignored
			signal.Notify(c, s)
		}
	}
	return c
}

func forwardSignals(caught <-chan os.Signal, pid int) {
	for s := range caught {
		if n, ok := s.(syscall.Signal); ok {
			_ = syscall.Kill(pid, n) // that it has ended meanwhile is no matter
		}
	}
}

// reap takes the status of every process that ends, orphans included, until the program itself has ended. The program's
// process is asked to go on when it stops if resume says so.
func reap(pid int, resume bool) (Status, error) {
	options := 0
	if resume {
		options = syscall.WUNTRACED
	}
	for {
		var ws syscall.WaitStatus
		got, err := syscall.Wait4(-1, &ws, options, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return Status{}, fmt.Errorf("waiting for the program: %w", err)
		case ws.Stopped() && ws.StopSignal() != syscall.SIGSTOP:
			_ = syscall.Kill(got, syscall.SIGCONT) // gone is as good
		case got != pid:
		case ws.Signaled():
			return Status{Signal: ws.Signal()}, nil
		case ws.Exited():
			return Status{Code: ws.ExitStatus()}, nil
		}
	}
}

// terminal says how the program shares its process group and terminal with this process.
type terminal struct {
	// own is whether the program gets a group of its own. If the caller made this process the leader of a session or of a
	// group, signals to the group are for us to pass on, and the program gets a group beside ours. Else the program stays in
	// the group that the caller's shell controls, and we leave it: so Ctrl-C and Ctrl-Z reach the program, once.
	own bool
	// foreground is whether that group is to be in the foreground of the terminal at stdin.
	foreground bool
	// resume is whether a program that stops is asked to go on, as nobody else would: so it is with a session of its own.
	resume bool
}

func takeTerminal() terminal {
	self := os.Getpid()
	if unix.Getpgrp() != self {
		return terminal{}
	}
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	session, errSession := unix.Getsid(0)
	return terminal{own: true, foreground: err == nil && group == self, resume: errSession == nil && session == self}
}

func (t terminal) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: t.own, Foreground: t.foreground, Ctty: 0}
}

// leave takes this process out of the group that it was started in.
func (t terminal) leave() error {
	if t.own {
		return nil
	}
	if err := unix.Setpgid(0, 0); err != nil {
		return fmt.Errorf("leaving the program's process group: %w", err)
	}
	return nil
}
