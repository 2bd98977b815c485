package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// features is what this system offers. A nil error means that it is there.
type features struct {
	namespaces error
	procfs     error // whether a /proc of the program's own can be mounted
	landlock   int   // version of the ABI
	noLandlock error
	seccomp    error
}

// processes tells whether the program can have processes of its own: they are of no use without their /proc.
func (f *features) processes() error {
	if f.namespaces != nil {
		return f.namespaces
	}
	return f.procfs
}

// probed asks the system once.
var probed = sync.OnceValue(func() *features {
	f := &features{namespaces: tryNamespaces(), procfs: ownProc(), seccomp: trySeccomp()}
	f.landlock, f.noLandlock = landlockVersion()
	return f
})

// Probe says which layers work here. It asks the kernel, not a list of versions.
func Probe() Report { return probed().report() }

// tryNamespaces makes the namespaces for a process that does nothing: it is to execute a program without a name, which
// fails as such only after all else has worked. Some systems let namespaces be made but give no rights in them, therefore
// it also changes mounts.
func tryNamespaces() error {
	if err := unix.MountSetattr(-1, "", 0, nil); errors.Is(err, unix.ENOSYS) {
		return errors.New("the kernel is older than 5.12")
	}
	for _, name := range []string{"user", "mnt", "net", "ipc"} {
		limit, err := os.ReadFile("/proc/sys/user/max_" + name + "_namespaces")
		if err == nil && strings.TrimSpace(string(limit)) == "0" {
			return fmt.Errorf("user.max_%s_namespaces is 0", name)
		}
	}
	a := attributes(&jail{Namespaces: true, Processes: true})
	a.Unshareflags = unix.CLONE_NEWNS
	_, err := syscall.ForkExec("", []string{""}, &syscall.ProcAttr{Sys: a})
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	return fmt.Errorf("unprivileged user namespaces are refused: %w", err)
}

// ownProc tells whether /proc can be mounted anew. The kernel allows it only if all of the present one is to be seen, which
// containers prevent by mounting over parts of it.
func ownProc() error {
	mounts, err := readMounts()
	if err != nil {
		return err
	}
	for _, m := range mounts {
		if strings.HasPrefix(m.at, "/proc/") && m.at != "/proc/sys/fs/binfmt_misc" {
			return errors.New("this is a container that covers parts of /proc")
		}
	}
	return nil
}

// trySeccomp asks whether filters may answer with an error.
func trySeccomp() error {
	if nativeArch == 0 {
		return errors.New("there is no filter for this processor")
	}
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return fmt.Errorf("the kernel has no filters: %w", errno)
	}
	return nil
}

// report puts what is there, and what follows from what is not, into words.
func (f *features) report() Report {
	r := Report{Layers: []Layer{
		layer(LayerUser, "no rights over anything outside", f.namespaces, ""),
		layer(LayerMount, "hidden files look empty, the rest is read-only, /tmp and terminals are its own", f.namespaces, ""),
		layer(LayerProcess, "other processes do not exist, none outlives the run", f.processes(), ""),
		layer(LayerNetwork, "no network and no abstract sockets but the forwarded ports", f.namespaces, ""),
		layer(LayerLandlock, "files, other processes' memory, signals", f.noLandlock, fmt.Sprintf("ABI %d", f.landlock)),
		layer(LayerSeccomp, "no ptrace, mounts, new namespaces, io_uring, TIOCSTI, foreign system calls", f.seccomp, ""),
	}}
	switch {
	case f.namespaces != nil:
		r.Open = append(r.Open, f.openWithoutNamespaces()...)
	case f.procfs != nil:
		r.Open = append(r.Open, "names and arguments of other processes can be read, and signals sent to them if Landlock is older than ABI 6",
			"a process may outlive the run for an instant")
	}
	if f.namespaces == nil && f.landlock == 0 {
		r.Open = append(r.Open, "nothing by itself, but there is no second line behind the namespaces")
	}
	if f.seccomp != nil {
		r.Open = append(r.Open, "every system call is allowed: the kernel's whole surface, and typing into the terminal it was started from (TIOCSTI)")
	}
	return r
}

func (f *features) openWithoutNamespaces() []string {
	open := []string{
		"files hidden by name in the working directory (.env) can be read",
		"names of hidden files can be listed, /tmp is shared, names and arguments of other processes can be read",
		"a process may outlive the run for an instant",
	}
	switch {
	case f.landlock == 0:
		open = append(open, "every file of this user can be read and written, the memory of other processes read")
	case f.landlock < 6:
		open = append(open, "signals can be sent to other processes of this user")
	}
	if f.landlock < 4 {
		open = append(open, "every TCP address can be reached")
	} else {
		open = append(open, "forwarded ports can be reached at every address, not only at 127.0.0.1")
	}
	if f.seccomp != nil {
		open = append(open, "unix sockets, also abstract ones, and UDP can be reached")
	}
	return open
}

func layer(name, guards string, problem error, detail string) Layer {
	l := Layer{Name: name, Guards: guards, On: problem == nil, Detail: detail}
	if problem != nil {
		l.Detail = problem.Error()
	}
	return l
}
