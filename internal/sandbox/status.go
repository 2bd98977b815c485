package sandbox

import "syscall"

// Status is how the program ended.
type Status struct {
	// Code is the exit code if Signal is 0.
	Code int
	// Signal is the number of the signal that ended it, or 0.
	Signal syscall.Signal
}
