package testservice

import "syscall"

// dieWithParent has the kernel end a server whose test was killed.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
