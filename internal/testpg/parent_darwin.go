package testpg

import "syscall"

// dieWithParent makes a child; this system cannot tie it to its parent, which nobody kills.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
