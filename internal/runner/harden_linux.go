package runner

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// inherited is the limit that the program gets back.
var inherited *unix.Rlimit

// Harden keeps this process, which is about to hold values, out of core dumps, and its memory and environment out of reach
// of the user's other processes (/proc/PID/mem, ptrace), root excepted.
func Harden() error {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &was); err != nil {
		return fmt.Errorf("reading the core limit: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 0, Max: was.Max}); err != nil {
		return fmt.Errorf("switching off core dumps: %w", err)
	}
	inherited = &was
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("closing this process to others: %w", err)
	}
	return nil
}

// Unharden gives back the core limit, for the program that takes this process's place. That the process is closed to
// others ends with the exec itself.
func Unharden() error {
	if inherited == nil {
		return nil
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, inherited); err != nil {
		return fmt.Errorf("restoring the core limit: %w", err)
	}
	return nil
}
