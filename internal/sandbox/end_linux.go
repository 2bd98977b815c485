package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// endAll is what the init is sent when all of the sandbox is to end and no process namespace would end with it. Power
// failures are told to process 1 alone, so no program has another use for it.
const endAll = syscall.SIGPWR

// ending ends what runs in a sandbox without a process namespace. Without it, killing the init would leave the children of
// the program behind.
type ending struct {
	asked  chan os.Signal
	killed atomic.Bool // on request
}

// outlive makes this process the parent of orphans. It outlives its own parent, whose end it is told by [endAll], for as long
// as it takes to end them.
func outlive(parent int) (*ending, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("becoming the parent of orphans: %w", err)
	}
	e := &ending{asked: make(chan os.Signal, 1)}
	signal.Notify(e.asked, endAll)
	if os.Getppid() != parent { // it ended before the signal was heard
		return nil, errors.New("the process that asked for it has ended")
	}
	return e, nil
}

// wait kills the program when the sandbox is to end; its descendants follow as for any program that has ended.
func (e *ending) wait(pid int) {
	<-e.asked
	e.killed.Store(true)
	_ = syscall.Kill(pid, syscall.SIGKILL) // gone is as good
}

// descendants ends them, and this process as well if that was asked for: it was killed then, and left no result.
func (e *ending) descendants() error {
	err := endDescendants()
	if err == nil && e.killed.Load() {
		err = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	return err
}

// endDescendants kills what outlived the program where there is no process namespace to do it. As their parents die they
// become children of this process, which adopts orphans, until none is left.
func endDescendants() error {
	for {
		children, err := childrenOf(os.Getpid())
		if err != nil {
			return err
		}
		if len(children) == 0 {
			return nil
		}
		for _, pid := range children {
			_ = syscall.Kill(pid, syscall.SIGKILL) // gone is as good
			if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil && !errors.Is(err, syscall.EINTR) {
				return fmt.Errorf("waiting for process %d: %w", pid, err)
			}
		}
	}
}

func childrenOf(pid int) ([]int, error) {
	lists, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the thread is gone
		}
		for _, field := range strings.Fields(string(text)) {
			n, err := strconv.Atoi(field)
			if err != nil {
				return nil, fmt.Errorf("reading %q: %w", list, err)
			}
			pids = append(pids, n)
		}
	}
	return pids, nil
}
