//go:build unix && !linux

package runner

import "syscall"

// defaultAction does nothing here: for a fault such as SEGV the exit status has to tell.
func defaultAction(syscall.Signal) {}
