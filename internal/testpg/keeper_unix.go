//go:build linux || darwin

package testpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// keeperEnv turns a test binary into the keeper of a server: the programs' folder, the server's, and how long to
// wait for the next user.
const keeperEnv = "ZVAULT_TESTPG_KEEPER"

func init() {
	if spec := os.Getenv(keeperEnv); spec != "" {
		os.Exit(keep(spec))
	}
}

// startKeeper starts a keeper and waits until its server takes connections.
func startKeeper(dir string, linger time.Duration) error {
	bin, err := programs()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-test.run=^$")
	cmd.Env = append(os.Environ(), keeperEnv+"="+strings.Join([]string{bin, dir, linger.String()}, "\n"))
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no signal from the terminal
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var early error
	err = await("starting the server", func() bool {
		select {
		case early = <-ended:
			early = errors.Join(errors.New("the server ended"), early)
			return true
		default:
		}
		_, ready := serverPID(dir)
		return ready
	})
	if err = errors.Join(err, early); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, logFile))
		return fmt.Errorf("%w\n%s", err, log)
	}
	return nil
}

// keep is the keeper. It runs the server until that ends by itself or nobody uses the folder any more.
func keep(spec string) int {
	runtime.LockOSThread() // the server is to die with its parent, which to Linux is this thread
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	part := strings.Split(spec, "\n")
	if len(part) != 3 {
		return 2
	}
	dir := part[1]
	linger, err := time.ParseDuration(part[2])
	if err != nil {
		return 2
	}
	server, err := launch(part[0], dir)
	if err != nil {
		return 1
	}
	ended, unused := make(chan error, 1), make(chan error, 1)
	go func() { ended <- server.Wait() }()
	go func() { unused <- untilUnused(dir, linger) }()
	select {
	case <-ended: // stopped by its test, which may start it again
		return 0
	case err := <-unused:
		if err != nil {
			return 1
		}
	}
	if err := server.Process.Signal(syscall.SIGQUIT); err != nil { // at once: nothing of it is kept
		return 1
	}
	<-ended
	return exitCode(os.RemoveAll(dir))
}

func exitCode(err error) int {
	if err != nil {
		return 1
	}
	return 0
}

func launch(bin, dir string) (*exec.Cmd, error) {
	owner, err := serverUser()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, logFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	args := []string{"-D", filepath.Join(dir, dataDir), "-k", dir, "-p", "5432"}
	for _, setting := range []string{
		"listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=200", "shared_buffers=32MB", "jit=off",
		"unix_socket_permissions=0700", "wal_level=minimal", "max_wal_senders=0", "log_min_messages=warning",
	} {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()
	cmd.SysProcAttr.Credential = owner
	cmd.SysProcAttr.Setpgid = true
	return cmd, cmd.Start()
}

// untilUnused waits until nobody has used the folder for a while, and then holds it alone, until this process ends.
func untilUnused(dir string, linger time.Duration) error {
	use, err := os.OpenFile(filepath.Join(dir, useFile), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	for {
		if err := flock(use, syscall.LOCK_EX); err != nil {
			return err
		}
		if linger == 0 {
			return nil
		}
		if err := flock(use, syscall.LOCK_UN); err != nil {
			return err
		}
		time.Sleep(linger) // the next package of a run may join
		err := flock(use, syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
	}
}

// flock is syscall.Flock, again when a signal came in between.
func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
