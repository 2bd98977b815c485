// Package testservice gives tests real servers: PostgreSQL with passwords and TLS, MariaDB, Redis, RabbitMQ. Only tests
// import it.
//
// Each function starts a server for one test, in a folder of its own and on a free port of the loopback, and ends it with
// the test. Programs are found where Debian puts them, or installed with apt-get when root and missing; a server that cannot
// be had fails the test. For PostgreSQL as a store see testpg, which is quicker: its servers take everybody in.
package testservice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// installing lets one test at a time install packages.
var installing sync.Mutex

// program finds a program by patterns of its path, the last match of the first pattern that has one; it installs a package
// if there is none.
func program(t testing.TB, pkg string, patterns ...string) string {
	t.Helper()
	if path := find(patterns); path != "" {
		return path
	}
	installing.Lock()
	defer installing.Unlock()
	if path := find(patterns); path != "" {
		return path
	}
	for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", pkg}} {
		cmd := exec.Command("apt-get", append([]string{"-o", "DPkg::Lock::Timeout=120"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1") // packages start no server of their own
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s is not installed, and installing it: %v\n%s", pkg, err, out)
		}
	}
	path := find(patterns)
	if path == "" {
		t.Fatalf("apt-get has installed %s, but %q is not there", pkg, patterns)
	}
	return path
}

func find(patterns []string) string {
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 { // fails only for a bad pattern
			return found[len(found)-1]
		}
	}
	return ""
}

// folder makes a folder that a server under another user can be given. It goes when the test ends.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "zvault-testservice-") //nolint:usetesting // paths of sockets are short, and others must get there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing a server's folder: %v", err)
		}
	})
	return dir
}

// freePort is a port that nobody listens on at the moment.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	address, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("listening on TCP gave a %T", l.Addr())
	}
	return address.Port
}

// start starts a server whose log goes to a file in dir, waits until ready says so, and ends it with the test.
func start(t testing.TB, dir string, cmd *exec.Cmd, ready func(context.Context) error) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	cmd.Stdout, cmd.Stderr = log, log
	bind(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", filepath.Base(cmd.Path), err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { kill(cmd); <-ended })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := await(ctx, ended, ready); err != nil {
		text, _ := os.ReadFile(filepath.Join(dir, "log"))
		t.Fatalf("starting %s: %v\n%s", filepath.Base(cmd.Path), err, text)
	}
}

// await asks every 20 ms whether a server is ready.
func await(ctx context.Context, ended <-chan struct{}, ready func(context.Context) error) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return errors.New("it ended")
		case <-ctx.Done():
			return fmt.Errorf("it is not ready after a minute: %w", err)
		case <-ticker.C:
		}
	}
}

// run runs a program that is to end by itself.
func run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(cmd.Path), err, out)
	}
}

// write writes a file of a server's folder.
func write(t testing.TB, dir, name string, lines ...string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
