//go:build unix

package runner

import (
	"os"
	"syscall"
)

// Exec replaces this process by the program. It returns only if that fails. Mask and Restart are not for it, and the
// streams are those of this process.
func Exec(c *Command) error {
	path, err := c.lookUp()
	if err != nil {
		return err
	}
	if c.Dir != "" {
		if err := os.Chdir(c.Dir); err != nil {
			return &StartError{Program: c.Args[0], Status: StatusNotExecutable, Err: err}
		}
	}
	if err := Unharden(); err != nil {
		return &StartError{Program: c.Args[0], Status: StatusNotExecutable, Err: err}
	}
	err = syscall.Exec(path, c.Args, c.Env) // closes our descriptors and restores the limits that Go has raised
	return &StartError{Program: c.Args[0], Status: StatusNotExecutable, Err: err}
}

// CanExec reports whether Exec works on this system.
const CanExec = true
