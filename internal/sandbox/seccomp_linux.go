package sandbox

import (
	"fmt"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The filter refuses, with an error and not by killing, what no ordinary program needs and many ways out of a sandbox are
// made of. It is built here from plain instructions, as system calls of another architecture's numbering must be refused
// first of all: they would pass a list of ours unrecognised.

// Offsets in struct seccomp_data, see seccomp(2); arguments are 64 bits wide, and of those that are compared here the kernel
// itself looks at the low 32 only.
const (
	offsetCall = 0
	offsetArch = 4
	offsetArgs = 16
)

// x32Bit marks system calls of the x32 numbering on x86-64; no other architecture has numbers that high.
const x32Bit = 0x40000000

// newNamespaces are the flags of clone and unshare that make namespaces.
const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWTIME

// argument loads the low half of a system call's argument (on little-endian processors, the only ones with a filter).
func argument(n uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: offsetArgs + 8*n, Size: 4} }

func refuse(errno unix.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}

var pass = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}

// filter returns the program. Without namespaces it also keeps unix sockets, UDP and System V's
// shared memory away, which Landlock does not.
func filter(namespaces bool) []bpf.Instruction {
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: nativeArch, SkipTrue: 1},
		refuse(unix.EPERM),
		bpf.LoadAbsolute{Off: offsetCall, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: x32Bit, SkipFalse: 1},
		refuse(unix.EPERM),
	}
	for _, call := range refusedCalls() {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: call, SkipFalse: 1}, refuse(unix.EPERM))
	}
	// The C library then uses clone, whose flags can be seen.
	program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_CLONE3, SkipFalse: 1}, refuse(unix.ENOSYS))
	flags := []bpf.Instruction{argument(0), bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: newNamespaces, SkipFalse: 1}, refuse(unix.EPERM), pass}
	program = when(program, unix.SYS_CLONE, flags)
	program = when(program, unix.SYS_UNSHARE, flags)
	program = when(program, unix.SYS_IOCTL, []bpf.Instruction{
		argument(1),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.TIOCSTI, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.TIOCLINUX, SkipFalse: 1},
		refuse(unix.EPERM),
		pass,
	})
	program = when(program, unix.SYS_SOCKET, socketRules(namespaces))
	if !namespaces {
		program = when(program, unix.SYS_SOCKETPAIR, noDatagrams())
		for _, call := range othersMessages() {
			program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: call, SkipFalse: 1}, refuse(unix.EPERM))
		}
	}
	return append(program, pass)
}

// when puts a body, which returns in any case, behind a look at the system call's number.
func when(program []bpf.Instruction, call uint32, body []bpf.Instruction) []bpf.Instruction {
	program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: call, SkipFalse: uint8(len(body))})
	return append(program, body...)
}

// socketRules allow the families that ordinary programs use. Virtual machines' sockets (AF_VSOCK), for one, belong to no
// network namespace.
func socketRules(namespaces bool) []bpf.Instruction {
	families := []uint32{unix.AF_NETLINK, unix.AF_INET, unix.AF_INET6}
	if namespaces {
		families = append(families, unix.AF_UNIX)
	}
	body := []bpf.Instruction{argument(0)}
	for i, family := range families {
		body = append(body, bpf.JumpIf{Cond: bpf.JumpEqual, Val: family, SkipTrue: uint8(len(families) - i)})
	}
	body = append(body, refuse(unix.EAFNOSUPPORT))
	if namespaces {
		return append(body, pass)
	}
	return append(body,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_NETLINK, SkipFalse: 1}, pass,
		argument(1), bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: socketType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_STREAM, SkipTrue: 1}, refuse(unix.EPERM),
		// Other protocols than TCP are streams too.
		argument(2),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipTrue: 1},
		refuse(unix.EPERM), pass)
}

// socketType masks the type out of the second argument of socket.
const socketType = 0xf

// noDatagrams refuses pairs of sockets that can be turned to another address.
func noDatagrams() []bpf.Instruction {
	return []bpf.Instruction{
		argument(1), bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: socketType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_DGRAM, SkipFalse: 1}, refuse(unix.EPERM), pass,
	}
}

// installFilter puts this thread below the filter.
func installFilter(namespaces bool) error {
	raw, err := bpf.Assemble(filter(namespaces))
	if err != nil {
		return fmt.Errorf("assembling the filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("installing the filter: %w", errno)
	}
	return nil
}
