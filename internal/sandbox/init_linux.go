package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// initName is the name under which this binary is executed as the sandbox's init. A program that uses it by itself gets no
// further than reading a plan that is not there.
const initName = "zvault-sandbox"

// letterFD is where the plan is.
const letterFD = 3

// exitNotStarted is the init's exit code if the program was not started; [Ended] says why.
const exitNotStarted = 125

// IsInit reports whether this process was started by [Command] as a sandbox's init, and is to call [Init].
func IsInit() bool { return len(os.Args) > 1 && os.Args[0] == initName }

// Init builds the sandbox, starts the program in it and waits for it. It returns the exit code with which this process is to
// end at once.
func Init() int {
	letter, j, err := readLetter()
	if err != nil {
		return complain(err)
	}
	status, err := run(j)
	r := result{Done: true, Status: status}
	if err != nil {
		r.Problem = err.Error()
	}
	if err := errors.Join(err, answer(letter, r)); err != nil {
		return complain(err)
	}
	if status.Signal != 0 {
		return 128 + int(status.Signal)
	}
	return status.Code
}

func complain(err error) int {
	fmt.Fprintf(os.Stderr, "zvault: starting the sandbox: %v\n", err)
	return exitNotStarted
}

// readLetter reads the plan and closes the door behind: no file but the three streams is passed on, nobody looks into this
// process, and it dies with the one that started it.
func readLetter() (*os.File, *jail, error) {
	if err := unix.CloseRange(letterFD, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("closing inherited files: %w", err)
	}
	letter := os.NewFile(letterFD, "plan")
	text, err := io.ReadAll(io.NewSectionReader(letter, 0, math.MaxInt64))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the plan: %w", err)
	}
	var j jail
	if err := json.Unmarshal(text, &j); err != nil {
		return nil, nil, fmt.Errorf("reading the plan: %w", err)
	}
	if j.Processes {
		if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
			return nil, nil, fmt.Errorf("binding to the parent's life: %w", err)
		}
	}
	return letter, &j, noFolders()
}

// noFolders refuses a directory as a stream: from it, the files outside could be reached.
func noFolders() error {
	for fd := range 3 {
		var st unix.Stat_t
		err := unix.Fstat(fd, &st)
		if errors.Is(err, unix.EBADF) {
			continue
		}
		if err != nil {
			return fmt.Errorf("looking at stream %d: %w", fd, err)
		}
		if st.Mode&unix.S_IFMT == unix.S_IFDIR {
			return fmt.Errorf("stream %d is a directory", fd)
		}
	}
	return nil
}

func answer(letter *os.File, r result) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := letter.Truncate(0); err != nil {
		return err
	}
	_, err = letter.WriteAt(text, 0)
	return err
}

// run does all the rest. The program is started from a thread of its own, whose rights are taken away first; the other
// threads keep theirs, and the network outside, to forward connections and to hide files that appear.
func run(j *jail) (Status, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dialers, err := openTargets(j.Forward) // before the sockets are hidden
	if err != nil {
		return Status{}, err
	}
	var m *mounter
	if j.Namespaces {
		if m, err = newMounter(j); err != nil {
			return Status{}, err
		}
		if err := m.build(j); err != nil {
			return Status{}, err
		}
	}
	if err := os.Chdir(j.Dir); err != nil {
		return Status{}, fmt.Errorf("entering the working directory: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return Status{}, fmt.Errorf("closing the init to others: %w", err)
	}
	var end *ending
	if !j.Processes {
		if end, err = outlive(j.Parent); err != nil {
			return Status{}, err
		}
	}
	if m != nil {
		if err := watch(m, j.Watch); err != nil {
			fmt.Fprintf(os.Stderr, "zvault: files that appear during the run are not hidden: %v\n", err)
		}
	}
	caught := catchSignals()
	t := takeTerminal()
	started := make(chan spawned, 1)
	go spawn(ctx, j, dialers, t, started)
	s := <-started
	if s.err != nil {
		return Status{}, s.err
	}
	if err := t.leave(); err != nil {
		return Status{}, err
	}
	go forwardSignals(caught, s.pid)
	if end != nil {
		go end.wait(s.pid)
	}
	status, err := reap(s.pid, t.resume)
	if err == nil && end != nil {
		err = end.descendants()
	}
	return status, err
}

// spawned is the program's process, or why there is none.
type spawned struct {
	pid int
	err error
}

// spawn runs on a thread that it never gives back: the thread cannot do anything else any more, and the program dies with it.
func spawn(ctx context.Context, j *jail, dialers []dialer, t terminal, started chan<- spawned) {
	runtime.LockOSThread()
	listeners, err := listen(j)
	if err == nil {
		err = restrict(j)
	}
	if err != nil {
		started <- spawned{err: err}
		return
	}
	for i, all := range listeners {
		for _, l := range all {
			go serve(ctx, l, dialers[i])
		}
	}
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: t.attributes()}
	if !j.Processes {
		attr.Sys.Pdeathsig = syscall.SIGKILL
	}
	pid, err := syscall.ForkExec(j.Program, os.Args[1:], attr)
	if err != nil {
		err = fmt.Errorf("executing %q: %w", j.Program, err)
	}
	started <- spawned{pid, err}
	<-ctx.Done()
}

// restrict takes the rights of this thread, and of what it starts, away for good.
func restrict(j *jail) error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("switching off core dumps: %w", err)
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("refusing new privileges: %w", err)
	}
	if j.Landlock > 0 {
		if err := landlock(j); err != nil {
			return err
		}
	}
	if j.Seccomp {
		return installFilter(j.Namespaces)
	}
	return nil
}
