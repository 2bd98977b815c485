//go:build linux || darwin

package testpg

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// linger is how long the shared server waits for the next test process.
const linger = 3 * time.Second

// sharedUse keeps the shared server's folder in use until the process ends.
var sharedUse *os.File

// shared returns the folder of the server that the test processes of this machine and user share.
var shared = sync.OnceValues(func() (string, error) {
	lock, err := os.OpenFile(filepath.Join(base(), lockFile+suffix()), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }() // and with it the lock
	if err := flock(lock, syscall.LOCK_EX); err != nil {
		return "", err
	}
	current := filepath.Join(base(), nowFile+suffix())
	if dir, use := join(current); use != nil {
		sharedUse = use
		return dir, nil
	}
	sweep()
	dir, use, err := newFolder()
	if err != nil {
		return "", err
	}
	sharedUse = use
	if err := startKeeper(dir, linger); err != nil {
		return "", err
	}
	return dir, os.WriteFile(current, []byte(dir), 0o600)
})

// suffix keeps the users of a machine apart.
func suffix() string { return "-" + strconv.Itoa(os.Geteuid()) }

// join starts using the folder that the file current names, if its server still runs.
func join(current string) (dir string, use *os.File) {
	text, err := os.ReadFile(current)
	if err != nil {
		return "", nil
	}
	dir = string(text)
	use, err = os.OpenFile(filepath.Join(dir, useFile), os.O_RDWR, 0)
	if err != nil {
		return "", nil
	}
	if err := alive(dir, use); err != nil {
		_ = use.Close()
		return "", nil
	}
	return dir, use
}

// alive takes a share of the folder and makes sure that its keeper has not removed it before.
func alive(dir string, use *os.File) error {
	if err := flock(use, syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return err
	}
	mine, err := use.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(use.Name())
	if err != nil {
		return err
	}
	if _, ready := serverPID(dir); !ready || !os.SameFile(mine, there) {
		return errors.New("gone")
	}
	return nil
}
