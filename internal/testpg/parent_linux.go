package testpg

import "syscall"

// dieWithParent makes a child that is told to quit when its parent is gone.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT} }
