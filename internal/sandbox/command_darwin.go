package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

const sandboxExec = "/usr/bin/sandbox-exec"

// Command returns the command that runs argv below sandbox-exec, ready to be started, and what protects it. Here the
// program is in the same network as everyone: a Forward with an Address must name the loopback address with the very same
// port, and one with a Socket lets the program connect to the socket itself.
func Command(ctx context.Context, argv, env []string, o Options) (*exec.Cmd, *Report, error) {
	if err := o.check(argv); err != nil {
		return nil, nil, err
	}
	report := Probe()
	if err := report.enough(o.Require); err != nil {
		return nil, &report, err
	}
	if !report.Complete() {
		return nil, &report, ErrUnsupported
	}
	for _, f := range o.Forward {
		host, port, err := net.SplitHostPort(f.Address)
		if f.Address != "" && (err != nil || port != strconv.Itoa(f.Port) || !net.ParseIP(host).IsLoopback()) {
			return nil, &report, fmt.Errorf("forwarding port %d to %q: macOS has no network namespaces, both must be the same loopback port", f.Port, f.Address)
		}
	}
	if err := o.resolve(); err != nil {
		return nil, &report, err
	}
	cmd := exec.CommandContext(ctx, sandboxExec, append([]string{"-p", Profile(o), "--"}, argv...)...)
	cmd.Env, cmd.Dir = env, o.Dir
	return cmd, &report, nil
}

// resolve follows symbolic links, as the profile is compared with real paths.
func (o *Options) resolve() error {
	lists := []*[]string{&o.Hide, &o.ReadOnly, &o.ReadWrite}
	for _, list := range lists {
		resolved := make([]string, len(*list))
		for i, p := range *list {
			var err error
			if resolved[i], err = filepath.EvalSymlinks(p); errors.Is(err, os.ErrNotExist) {
				resolved[i] = p
			} else if err != nil {
				return fmt.Errorf("following %q: %w", p, err)
			}
		}
		*list = resolved
	}
	dir, err := filepath.EvalSymlinks(o.Dir)
	if err != nil {
		return fmt.Errorf("following %q: %w", o.Dir, err)
	}
	o.Dir = dir
	return nil
}

// Probe says which layers work here.
func Probe() Report {
	l := Layer{Name: LayerSeatbelt, Guards: "files, sockets, keychain and network by a profile", On: true}
	if _, err := os.Stat(sandboxExec); err != nil {
		l.On, l.Detail = false, err.Error()
	}
	r := Report{Layers: []Layer{l}}
	if !l.On {
		r.Open = []string{"nothing is protected"}
	}
	return r
}

// Ended tells how the program of a command of [Command] ended, once its Wait has returned.
func Ended(cmd *exec.Cmd) (Status, error) {
	if cmd.ProcessState == nil {
		return Status{}, errors.New("asking for the end of a program that was not waited for")
	}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return Status{Signal: ws.Signal()}, nil
	}
	return Status{Code: cmd.ProcessState.ExitCode()}, nil
}

// IsInit reports false: sandbox-exec needs no init.
func IsInit() bool { return false }

// Init is not called here.
func Init() int { return 1 }
