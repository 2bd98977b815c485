package runner

import "errors"

// Exec cannot replace a process here.
func Exec(c *Command) error {
	return &StartError{Program: c.Args[0], Status: StatusNotExecutable, Err: errors.ErrUnsupported}
}

// CanExec reports whether Exec works on this system.
const CanExec = false
