//go:build !linux

package audit_test

import (
	"os"
	"os/exec"
)

// fullRoles are the ways to run out of room.
var fullRoles = []string{"limited"}

// tmpfsRole is for Linux only; elsewhere no test asks for it.
func tmpfsRole([]string) error { return limitedRole(nil) }

// isolate has nothing to do.
func isolate(*exec.Cmd) {}

// syncBare is the sync that the file device does.
func syncBare(f *os.File) error { return f.Sync() }
