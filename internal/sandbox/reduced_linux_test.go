package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// reducible are the tests that hold wherever less is offered.
const reducible = "^(TestProbe|TestCommand_Require|TestCommand_Attacks|TestCommand_Work|TestCommand_Forward|TestCommand_Status|TestCommand_Signal|TestCommand_DiesWithParent)$"

// TestReduced repeats the tests where the kernel really refuses a layer: in a user namespace that allows no further ones, in
// a container with a covered /proc, below a filter that knows no Landlock.
func TestReduced(t *testing.T) {
	for _, r := range []struct{ how, lacks string }{
		{"no-namespaces", strings.Join([]string{sandbox.LayerUser, sandbox.LayerMount, sandbox.LayerProcess, sandbox.LayerNetwork}, ",")},
		{"covered-proc", sandbox.LayerProcess},
		{"no-landlock", sandbox.LayerLandlock},
		{"nothing", strings.Join([]string{sandbox.LayerUser, sandbox.LayerMount, sandbox.LayerProcess, sandbox.LayerNetwork, sandbox.LayerLandlock}, ",")},
	} {
		t.Run(r.how, func(t *testing.T) {
			self, err := os.Executable()
			must(t, err)
			run := reducible
			if r.how == "nothing" {
				run = "^(TestProbe|TestCommand_Require)$"
			}
			c := exec.CommandContext(deadline(t), self, actAs, "lacking", r.how, "-test.run", run)
			c.Env = append(os.Environ(), lacksVar+"="+r.lacks)
			c.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
			}
			out, err := c.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "PASS") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// lacking takes something away from this process and becomes a test run. It runs in a user namespace of its own, so that
// nothing of it is seen outside.
func lacking(args []string) error {
	runtime.LockOSThread()
	noNamespaces := func() error { return os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0) }
	var err error
	switch args[0] {
	case "no-namespaces":
		err = noNamespaces()
	case "covered-proc":
		err = unix.Mount("/dev/null", "/proc/cpuinfo", "", unix.MS_BIND, "")
	case "no-landlock":
		err = withoutLandlock()
	case "nothing":
		err = errors.Join(noNamespaces(), withoutLandlock())
	default:
		err = fmt.Errorf("no such way %q", args[0])
	}
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, append([]string{self}, args[1:]...), os.Environ())
}

// withoutLandlock makes the kernel answer as one that was built without.
func withoutLandlock() error {
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_LANDLOCK_CREATE_RULESET, SkipFalse: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
	})
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

// TestUnprivileged repeats the tests as a user without any rights. For one who has none it is the same once more.
func TestUnprivileged(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	text, err := os.ReadFile(self)
	must(t, err)
	dir, err := os.MkdirTemp("/tmp", "sandbox")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	must(t, os.Chmod(dir, 0o755))
	program := filepath.Join(dir, "sandbox.test")
	must(t, os.WriteFile(program, text, 0o755))
	c := exec.CommandContext(deadline(t), program, "-test.run", reducible)
	c.Dir = "/"
	c.Env = append(os.Environ(), "TMPDIR=/tmp", "HOME=/nonexistent", "GOPATH=/nonexistent", "GOFLAGS=")
	if os.Getuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}
