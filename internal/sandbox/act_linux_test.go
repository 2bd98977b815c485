package sandbox_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// actAs as first argument makes the test binary play a part: an attack, or a program that is attacked. An attack prints
// what it got hold of, and succeeds; or it says why it failed.
const actAs = "act-as"

// token is what attacks without loot of their own print when they have succeeded.
const token = "attack-came-through"

func act(part string, args []string) int {
	parts := map[string]func([]string) error{
		"read": read, "link": hardLink, "procroot": procRoot, "environ": environ, "mem": mem, "vmread": vmRead, "trace": trace,
		"fds": otherFiles, "pidfd": stealFile, "signal": sendSignal, "own-fds": ownFiles, "tcp": dialAs("tcp"), "unix": dialAs("unix"), "udp": dialAs("udp"),
		"core": coreDump, "type": typeIntoTerminal, "namespace": newNamespace, "unmount": unmount, "mount": mountHere, "setuid": setUID, "key": kernelKey,
		"io_uring": ioUring, "shm": sharedMemory, "write": writeTo, "wait": waitForFile, "rename": renameThenRead,
		"victim": victim, "shell": spawnShell, "handle": fileHandle, "thread-ns": threadNamespace, "execve32": call32, "device": device,
		"dgram-pair": datagramPair, "run": runInside, "lacking": lacking,
	}
	f, ok := parts[part]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such part:", part)
		return 2
	}
	if err := f(args); err != nil {
		fmt.Fprintln(os.Stderr, part, "failed:", err)
		return 1
	}
	return 0
}

func read(args []string) error {
	text, err := os.ReadFile(args[0])
	if err == nil && len(text) == 0 {
		return errors.New("it is empty")
	}
	fmt.Println(string(text))
	return err
}

func hardLink(args []string) error {
	if err := os.Link(args[0], args[1]); err != nil {
		return err
	}
	return read(args[1:])
}

// procRoot goes to the file by way of every process's root and working directory.
func procRoot(args []string) error {
	return overProcesses(func(dir string) string {
		for _, way := range []string{"root", "cwd", "task/" + filepath.Base(dir) + "/root"} {
			if text, err := os.ReadFile(filepath.Join(dir, way, args[0])); err == nil && len(text) > 0 {
				return string(text)
			}
		}
		return ""
	})
}

func environ([]string) error {
	return overProcesses(func(dir string) string {
		text, err := os.ReadFile(dir + "/environ")
		if err != nil {
			return ""
		}
		return string(text)
	})
}

// overProcesses prints what get finds for any process but this one.
func overProcesses(get func(dir string) string) error {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	found := 0
	for _, dir := range dirs {
		if filepath.Base(dir) == strconv.Itoa(os.Getpid()) {
			continue
		}
		if loot := get(dir); loot != "" {
			found++
			fmt.Println(loot)
		}
	}
	if found == 0 {
		return errors.New("nothing to be had")
	}
	return nil
}

// victimAt parses "pid address length".
func victimAt(args []string) (pid int, address uintptr, length int, err error) {
	_, err = fmt.Sscan(args[0], &pid, &address, &length)
	return pid, address, length, err
}

func mem(args []string) error {
	pid, address, length, err := victimAt(args)
	if err != nil {
		return err
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return err
	}
	b := make([]byte, length)
	if _, err := f.ReadAt(b, int64(address)); err != nil {
		return err
	}
	fmt.Println(string(b))
	return nil
}

func vmRead(args []string) error {
	pid, address, length, err := victimAt(args)
	if err != nil {
		return err
	}
	b := make([]byte, length)
	local := []unix.Iovec{{Base: &b[0], Len: uint64(length)}}
	if _, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: address, Len: length}}, 0); err != nil {
		return err
	}
	fmt.Println(string(b))
	return nil
}

func trace(args []string) error {
	pid, address, length, err := victimAt(args)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := unix.PtraceAttach(pid); err != nil {
		return err
	}
	var ws unix.WaitStatus
	if _, err := unix.Wait4(pid, &ws, unix.WALL, nil); err != nil {
		return err
	}
	b := make([]byte, length)
	_, err = unix.PtracePeekData(pid, address, b)
	if err := errors.Join(err, unix.PtraceDetach(pid)); err != nil {
		return err
	}
	fmt.Println(string(b))
	return nil
}

// otherFiles reads every open file of other processes whose name is the given one.
func otherFiles(args []string) error {
	return overProcesses(func(dir string) string {
		fds, _ := filepath.Glob(dir + "/fd/*")
		for _, fd := range fds {
			if to, err := os.Readlink(fd); err == nil && to == args[0] {
				text, _ := os.ReadFile(fd)
				return string(text)
			}
		}
		return ""
	})
}

// stealFile takes descriptors from the victim by pidfd_getfd.
func stealFile(args []string) error {
	pid, _, _, err := victimAt(args)
	if err != nil {
		return err
	}
	p, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	for fd := 3; fd < 20; fd++ {
		got, err := unix.PidfdGetfd(p, fd, 0)
		if err != nil {
			if !errors.Is(err, unix.EBADF) {
				return err
			}
			continue
		}
		b := make([]byte, 4096)
		if n, err := unix.Pread(got, b, 0); err == nil && n > 0 {
			fmt.Println(string(b[:n]))
		}
	}
	return nil
}

// sendSignal tells by signal 0 whether a process can be signalled.
func sendSignal(args []string) error {
	pid, _, _, err := victimAt(args)
	if err == nil {
		err = syscall.Kill(pid, 0)
	}
	if err == nil {
		fmt.Println(token)
	}
	return err
}

func ownFiles([]string) error {
	for fd := 3; fd < 256; fd++ {
		b := make([]byte, 4096)
		if n, err := unix.Pread(fd, b, 0); err == nil && n > 0 {
			fmt.Println(string(b[:n]))
		}
	}
	return nil
}

func dialAs(network string) func([]string) error {
	return func(args []string) error {
		c, err := net.DialTimeout(network, args[0], 2*time.Second)
		if err != nil {
			return err
		}
		if err := c.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
			return err
		}
		if _, err := c.Write([]byte("hello\n")); err != nil {
			return err
		}
		answer, err := bufio.NewReader(c).ReadString('\n')
		fmt.Println(answer)
		return err
	}
}

// coreDump raises its own limit and aborts a child.
func coreDump([]string) error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
		return err
	}
	err := exec.Command("sh", "-c", "kill -ABRT $$").Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).CoreDump() {
		fmt.Println(token)
		return nil
	}
	return fmt.Errorf("no core: %w", err)
}

// typeIntoTerminal puts keys into the terminal as if a person had typed them.
func typeIntoTerminal([]string) error {
	for _, b := range []byte(token + "\n") {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, 0, 1<<40|unix.TIOCSTI, uintptr(unsafe.Pointer(&b)))
		if errno != 0 {
			return errno
		}
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	fmt.Println("typed: " + line)
	return err
}

// newNamespace mounts something in namespaces of its own.
func newNamespace([]string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := exec.Command(self, actAs, "mount")
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	return c.Run()
}

func mountHere([]string) error {
	if err := unix.Mount("tmpfs", "/mnt", "tmpfs", 0, ""); err != nil {
		return err
	}
	fmt.Println(token)
	return nil
}

func threadNamespace([]string) error {
	c := exec.Command("unshare", "-Urn", "true")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	fmt.Println(token)
	return nil
}

// unmount tries to uncover a file, and reads it.
func unmount(args []string) error {
	for p := args[0]; p != "/"; p = filepath.Dir(p) {
		_ = unix.Unmount(p, unix.MNT_DETACH)
	}
	return read(args)
}

// setUID starts a program that belongs to another user and looks as whom it runs.
func setUID(args []string) error {
	c := exec.Command(args[0], args[1:]...)
	in, err := c.StdinPipe() // held open, so that it waits
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	defer func() { _, _, _ = in.Close(), c.Process.Kill(), c.Wait() }()
	for range 20 { // the new user shows an instant after the start
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); f[0] == "Uid:" && f[1] != f[2] {
				fmt.Println(token)
				return nil
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("it runs as this user")
}

func kernelKey([]string) error {
	if _, err := unix.AddKey("user", "zvault-test", []byte("x"), unix.KEY_SPEC_PROCESS_KEYRING); err != nil {
		return err
	}
	fmt.Println(token)
	return nil
}

func ioUring([]string) error {
	var params [120]byte
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)), 0)
	if errno != 0 {
		return errno
	}
	fmt.Println(token)
	return unix.Close(int(fd))
}

// sharedMemory reads a System V segment of another process.
func sharedMemory(args []string) error {
	id, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	b, err := unix.SysvShmAttach(id, 0, unix.SHM_RDONLY)
	if err != nil {
		return err
	}
	fmt.Println(string(b[:64]))
	return nil
}

func writeTo(args []string) error {
	f, err := os.OpenFile(args[0], os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	fmt.Println(token)
	return f.Close()
}

// waitForFile says that it runs, and when it is told by a line that the file is there, waits a little until what may cover
// it has done so: an attacker in a hurry is the one that docs/sandbox.md speaks of.
func waitForFile(args []string) error {
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	var err error
	for range 40 {
		if err = read(args); err != nil {
			return err
		}
		time.Sleep(25 * time.Millisecond)
	}
	return err
}

func renameThenRead(args []string) error {
	if err := os.Rename(args[0], args[1]); err != nil {
		return err
	}
	return read(args[1:])
}

// victim holds a secret in memory, in its environment, in an open file and in shared memory, tells where, and waits.
func victim(args []string) error {
	secret := []byte("memory-" + args[0])
	f, err := os.Open(args[1])
	if err != nil {
		return err
	}
	id, err := unix.SysvShmGet(unix.IPC_PRIVATE, 4096, unix.IPC_CREAT|0o600)
	if err != nil {
		return err
	}
	segment, err := unix.SysvShmAttach(id, 0, 0)
	if err != nil {
		return err
	}
	copy(segment, secret)
	// Where the Yama module is strict, only a process that agrees can be looked into.
	_ = unix.Prctl(unix.PR_SET_PTRACER, ^uintptr(0), 0, 0, 0)
	fmt.Printf("%d %d %d\n%d\n", os.Getpid(), uintptr(unsafe.Pointer(&secret[0])), len(secret), id)
	_, err = io.Copy(io.Discard, os.Stdin)
	_, errShm := unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	runtime.KeepAlive(secret)
	return errors.Join(err, errShm, f.Close())
}

// spawnShell runs argv: a stand-in for a program that starts others.
func spawnShell(args []string) error {
	c := exec.Command("sh", "-c", args[0])
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	return c.Run()
}

// fileHandle opens a file by its handle, past all mounts.
func fileHandle(args []string) error {
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, args[0], 0)
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(args[0]))
	if err != nil {
		return err
	}
	fd, err := unix.OpenByHandleAt(int(dir.Fd()), h, unix.O_RDONLY)
	if err != nil {
		return err
	}
	return read([]string{"/proc/self/fd/" + strconv.Itoa(fd)})
}

// call32 uses the x32 numbering for a call that is refused by its usual number. A kernel without it answers ENOSYS, which
// also says that no filter stood in the way.
func call32([]string) error {
	const x32 = 0x40000000
	_, _, errno := unix.RawSyscall(x32|unix.SYS_GETPID, 0, 0, 0)
	if errno == unix.EPERM {
		return errno
	}
	fmt.Println(token)
	return nil
}

// device opens a disk or another device that is not among the harmless ones.
func device(args []string) error {
	fd, err := unix.Open(args[0], unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	fmt.Println(token)
	return unix.Close(fd)
}

// datagramPair turns one of a pair of connected sockets to another address.
func datagramPair(args []string) error {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	if err := unix.Connect(fds[0], &unix.SockaddrUnix{Name: args[0]}); err != nil {
		return err
	}
	fmt.Println(token)
	return nil
}
