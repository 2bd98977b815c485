package runner

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// defaultAction gives a signal its default meaning. Go's runtime keeps handlers of its own for faults such as SEGV, and would
// exit with status 2; the zero value of the kernel's struct sigaction is SIG_DFL with nothing masked.
func defaultAction(sig syscall.Signal) {
	var action [4]uint64
	// If the kernel refuses, the exit status below still tells.
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}
