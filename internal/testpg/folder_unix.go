//go:build linux || darwin

package testpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A server's folder holds the cluster in data, the socket, the server's log, and the file whose lock says that the
// folder is in use: test processes share it, the keeper takes it alone when they are gone.
const (
	dataDir  = "data"
	logFile  = "log"
	useFile  = "users"
	prefix   = "zvault-testpg-"
	lockFile = prefix + "lock"
	nowFile  = prefix + "current"
)

// base is where the folders go: the temporary folder, if the server's user can get there.
func base() string {
	dir := os.TempDir()
	if os.Geteuid() != 0 {
		return dir
	}
	for d := dir; ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
		if d == filepath.Dir(d) {
			return dir
		}
	}
}

// newFolder makes a folder with an empty cluster. The caller holds use, which marks the folder as used.
func newFolder() (dir string, use *os.File, err error) {
	bin, err := programs()
	if err != nil {
		return "", nil, err
	}
	if dir, err = os.MkdirTemp(base(), prefix); err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if use, err = os.OpenFile(filepath.Join(dir, useFile), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return "", nil, err
	}
	if err := syscall.Flock(int(use.Fd()), syscall.LOCK_SH); err != nil {
		return "", nil, err
	}
	owner, err := serverUser()
	if err != nil {
		return "", nil, err
	}
	if owner != nil {
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return "", nil, err
		}
	}
	return dir, use, initialize(bin, dir, owner)
}

// initialize runs initdb. A collation other than that of bytes shows what relies on the order of text; it takes
// version 15 and a build with ICU.
func initialize(bin, dir string, owner *syscall.Credential) error {
	english := []string{"--locale-provider=icu", "--icu-locale=en"}
	err := initdb(bin, dir, owner, english...)
	if err == nil {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(dir, dataDir)); err != nil {
		return err
	}
	return initdb(bin, dir, owner)
}

func initdb(bin, dir string, owner *syscall.Credential, extra ...string) error {
	args := []string{
		"-D", filepath.Join(dir, dataDir), "--no-sync", "--no-instructions", "-A", "trust", "-U", "postgres", "-E", "UTF8",
		"--locale=C",
	}
	cmd := exec.Command(filepath.Join(bin, "initdb"), append(args, extra...)...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// serverUser is whom the server runs as; nil is ourselves. Servers refuse to be root.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup("postgres")
	if err != nil {
		if found, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("finding a user for the server: %w", err)
		}
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// serverPID returns the server's process id from its lock file, 0 if it does not run, and whether it takes
// connections. The lines of the file are those of src/include/utils/pidfile.h.
func serverPID(dir string) (pid int, ready bool) {
	text, err := os.ReadFile(filepath.Join(dir, dataDir, "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	lines := strings.Split(string(text), "\n")
	pid, err = strconv.Atoi(lines[0])
	if err != nil || pid <= 0 || syscall.Kill(pid, 0) != nil {
		return 0, false
	}
	return pid, len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"
}

// await polls for something that another process does, every 5 ms for at most a minute.
func await(what string, done func() bool) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for range 12000 {
		if done() {
			return nil
		}
		<-ticker.C
	}
	return fmt.Errorf("%s: nothing within a minute", what)
}

// sweep removes folders whose keeper cannot have lived: nobody uses them, and they are not new.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(base(), prefix+"*"))
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < 10*time.Minute {
			continue
		}
		use, err := os.OpenFile(filepath.Join(dir, useFile), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(use.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			if pid, _ := serverPID(dir); pid == 0 {
				_ = os.RemoveAll(dir) // what is left over is tried again next time
			}
		}
		_ = use.Close()
	}
}
