//go:build unix

package runner

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// As process 1 of a container this process inherits every orphan, and must take the status of each that ends, or they stay
// as zombies. When the program itself has ended, those still running are asked to end and then killed, as any init does.

// reaping takes the statuses of children.
type reaping struct {
	once    sync.Once
	mu      sync.Mutex
	waiters map[int]chan syscall.WaitStatus
}

var reaper reaping

func isInit() bool { return os.Getpid() == 1 }

func (r *reaping) start(cmd *exec.Cmd) error {
	if !isInit() {
		return cmd.Start()
	}
	r.once.Do(r.watch)
	r.mu.Lock() // so that its end is not taken before it is known
	defer r.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	r.waiters[cmd.Process.Pid] = make(chan syscall.WaitStatus, 1)
	return nil
}

func (r *reaping) wait(cmd *exec.Cmd) Status {
	if !isInit() {
		return waitPlain(cmd)
	}
	r.mu.Lock()
	ended := r.waiters[cmd.Process.Pid]
	r.mu.Unlock()
	ws := <-ended
	endOthers()
	return statusOf(ws)
}

// waitPlain waits for a child; what it printed has been copied by us, not by exec.
func waitPlain(cmd *exec.Cmd) Status {
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Status{Code: 1}
	}
	ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		return Status{Code: cmd.ProcessState.ExitCode()}
	}
	return statusOf(ws)
}

// watch reaps whenever a child has ended.
func (r *reaping) watch() {
	r.waiters = map[int]chan syscall.WaitStatus{}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	go func() {
		for range ended {
			r.reap()
		}
	}()
}

func (r *reaping) reap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if waiter, ok := r.waiters[pid]; ok && (ws.Exited() || ws.Signaled()) {
			waiter <- ws
		}
	}
}

// endOthers ends the processes that outlived the program: kill(-1) reaches all but ourselves.
func endOthers() {
	if syscall.Kill(-1, syscall.SIGTERM) != nil {
		return // there are none
	}
	for range 50 {
		if syscall.Kill(-1, 0) != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	_ = syscall.Kill(-1, syscall.SIGKILL) // none left is as good
}
