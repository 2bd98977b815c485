package server

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// errLimited is returned where the system would let the process be killed rather than lock all of its memory.
var errLimited = errors.New("the limit of locked memory is not unlimited (LimitMEMLOCK=infinity, ulimit -l unlimited)")

// lockMemory keeps all of the process's memory, as it comes to be used, out of swap. It does so only where there is no limit:
// with one, a server that has grown past it could allocate nothing any more.
func lockMemory() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return fmt.Errorf("reading the limit of locked memory: %w", err)
	}
	if limit.Cur != unix.RLIM_INFINITY && unix.Geteuid() != 0 {
		return errLimited
	}
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return fmt.Errorf("locking the memory: %w", err)
	}
	return nil
}
