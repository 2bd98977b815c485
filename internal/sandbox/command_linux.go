package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Command returns the command that runs argv below the sandbox, ready to be started, and what protects it. The program is
// searched in the PATH of env. Streams may be set as usual, but must not be directories. SysProcAttr is filled in already:
// set further fields of it (Setsid and Setctty for a terminal of its own), do not replace it. ExtraFiles is ours. Signals to
// the process are passed on to the program; when ctx is cancelled, or the starting process dies, all of the
// sandbox dies; so it does when the process is killed, if there is a namespace of processes.
// After Wait, [Ended] tells how the program ended. Start it from a goroutine that is not locked to a thread that ends.
func Command(ctx context.Context, argv, env []string, o Options) (*exec.Cmd, *Report, error) {
	if err := o.check(argv); err != nil {
		return nil, nil, err
	}
	f := probed()
	report := f.report()
	if err := report.enough(o.Require); err != nil {
		return nil, &report, err
	}
	program, err := lookUp(argv[0], o.Dir, env)
	if err != nil {
		return nil, &report, err
	}
	j, err := plan(&o, f)
	if err != nil {
		return nil, &report, fmt.Errorf("planning the sandbox: %w", err)
	}
	j.Program, j.Parent = program, os.Getpid()
	letter, err := write(j)
	if err != nil {
		return nil, &report, err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = append([]string{initName}, argv...)
	cmd.Env, cmd.Dir = env, o.Dir
	cmd.ExtraFiles = []*os.File{letter}
	cmd.SysProcAttr = attributes(j)
	if !j.Processes {
		cmd.Cancel = func() error { return cmd.Process.Signal(endAll) }
	}
	return cmd, &report, nil
}

// attributes asks for the namespaces. The network's is made by the init, which forwards from the one outside.
func attributes(j *jail) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if !j.Processes {
		a.Pdeathsig = endAll
	}
	if !j.Namespaces {
		return a
	}
	a.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	if j.Processes {
		a.Cloneflags |= unix.CLONE_NEWPID
	}
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	a.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP}
	return a
}

// write puts the plan into a file in memory, in which the init leaves its result.
func write(j *jail) (*os.File, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("encoding the plan of the sandbox: %w", err)
	}
	fd, err := unix.MemfdCreate("sandbox", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making a file for the plan of the sandbox: %w", err)
	}
	f := os.NewFile(uintptr(fd), "sandbox")
	if _, err := f.WriteAt(text, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("writing the plan of the sandbox: %w", err), f.Close())
	}
	return f, nil
}

// Ended tells how the program of a command of [Command] ended, once its Wait has returned. Signals are exact, though the
// process that was waited for always exits: with 128 plus the signal's number. The error says that the program was not
// started, or that the sandbox was killed from outside before it ended.
func Ended(cmd *exec.Cmd) (Status, error) {
	if len(cmd.ExtraFiles) != 1 || cmd.ProcessState == nil {
		return Status{}, errors.New("asking for the end of a program that was not waited for in a sandbox")
	}
	letter := cmd.ExtraFiles[0]
	text, err := io.ReadAll(io.NewSectionReader(letter, 0, 1<<20))
	if err != nil {
		return Status{}, fmt.Errorf("reading the result of the sandbox: %w", err)
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil || !r.Done {
		if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			return Status{Signal: ws.Signal()}, fmt.Errorf("the sandbox was ended by signal %d", int(ws.Signal()))
		}
		return Status{}, errors.New("the sandbox ended without a result")
	}
	if r.Problem != "" {
		return Status{}, fmt.Errorf("starting the sandbox: %s", r.Problem)
	}
	return r.Status, nil
}

// lookUp finds the program as exec.LookPath does, but in the environment that it will have.
func lookUp(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return name, runnable(name)
	}
	for _, folder := range filepath.SplitList(lastOf(env, "PATH")) {
		if !filepath.IsAbs(folder) {
			continue // a relative PATH is how the wrong program is started
		}
		if p := filepath.Join(folder, name); runnable(p) == nil {
			return p, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

func runnable(p string) error {
	info, err := os.Stat(p)
	if err != nil {
		return &exec.Error{Name: p, Err: err}
	}
	if info.IsDir() || unix.Access(p, unix.X_OK) != nil {
		return &exec.Error{Name: p, Err: os.ErrPermission}
	}
	return nil
}

func lastOf(env []string, key string) string {
	value := ""
	for _, pair := range env {
		if k, v, ok := strings.Cut(pair, "="); ok && k == key {
			value = v
		}
	}
	return value
}
