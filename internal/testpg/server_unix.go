//go:build linux || darwin

package testpg

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Server is a server of one test, for what cannot be done to the shared one. It is not for concurrent use.
type Server struct {
	t   testing.TB
	dir string
	use *os.File
}

// Start starts a server, which ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	optOut(t)
	dir, use, err := newFolder()
	if err != nil {
		t.Fatalf("starting PostgreSQL: %v", err)
	}
	s := &Server{t: t, dir: dir, use: use}
	t.Cleanup(s.remove)
	s.Start()
	return s
}

// URL returns the URL of a new, empty database. It stays the same over stops and starts.
func (s *Server) URL() string {
	s.t.Helper()
	return newDatabase(s.t, s.dir)
}

// Start starts the server again after Stop or Kill.
func (s *Server) Start() {
	s.t.Helper()
	var failure error
	err := await("starting PostgreSQL", func() bool {
		failure = startKeeper(s.dir, 0)
		// What a killed server leaves behind takes a moment to see that it is alone.
		return failure == nil || !strings.Contains(failure.Error(), "still in use")
	})
	if err = errors.Join(err, failure); err != nil {
		s.t.Fatalf("starting PostgreSQL: %v", err)
	}
}

// Stop shuts the server down; open connections are cut.
func (s *Server) Stop() {
	s.t.Helper()
	s.end(syscall.SIGINT)
}

// Kill ends the server without letting it write or say anything.
func (s *Server) Kill() {
	s.t.Helper()
	pid, _ := serverPID(s.dir)
	workers := children(pid)
	s.end(syscall.SIGKILL)
	for _, worker := range workers { // they would live on for a moment, finish what they do, and keep a new server from starting
		if err := syscall.Kill(worker, syscall.SIGKILL); err == nil {
			_ = await("ending PostgreSQL's processes", func() bool { return syscall.Kill(worker, 0) != nil })
		}
	}
}

// children lists the processes that a process has started, where the system tells (Linux).
func children(pid int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	var all []int
	for field := range strings.FieldsSeq(string(text)) {
		if n, err := strconv.Atoi(field); err == nil {
			all = append(all, n)
		}
	}
	return all
}

// Restart is Stop and Start.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.Start()
}

// end sends a signal and waits until the server is gone and its keeper has taken note of that.
func (s *Server) end(how syscall.Signal) {
	s.t.Helper()
	pid, _ := serverPID(s.dir)
	if pid == 0 {
		return
	}
	if err := syscall.Kill(pid, how); err != nil {
		s.t.Fatalf("stopping PostgreSQL: %v", err)
	}
	if err := await("stopping PostgreSQL", func() bool { return syscall.Kill(pid, 0) != nil }); err != nil {
		s.t.Fatal(err)
	}
}

// remove stops the server and gives the folder up.
func (s *Server) remove() {
	s.end(syscall.SIGQUIT)
	if err := os.RemoveAll(s.dir); err != nil {
		s.t.Errorf("removing the server's folder: %v", err)
	}
	_ = s.use.Close()
}
