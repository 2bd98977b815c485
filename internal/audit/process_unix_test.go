//go:build !windows

package audit_test

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// limitedRole limits the size of its files and records until that is reached.
func limitedRole([]string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 5000, Max: 5000}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return untilFull(syscall.EFBIG)
}

// becomeNobody gives up the rights of root, who may write everywhere. The working folder stays.
func becomeNobody() error {
	if os.Getuid() != 0 {
		return nil
	}
	const nobody = 65534
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
		return fmt.Errorf("becoming nobody: %w", err)
	}
	return nil
}
