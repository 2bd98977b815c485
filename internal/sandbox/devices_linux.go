package sandbox

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// makeDev mounts a /dev with the harmless devices, shared memory and terminals of the program's own. Those of the same user
// outside could be read and typed into.
func (m *mounter) makeDev() error {
	if err := tmpfs("/dev", "mode=755"); err != nil {
		return err
	}
	for _, p := range deviceFiles() {
		mount, ok := m.clones[p]
		if !ok {
			continue
		}
		if err := errors.Join(touch(p, 0o600), attach(mount, unix.AT_FDCWD, p), unix.Close(mount)); err != nil {
			return err
		}
		delete(m.clones, p)
	}
	for _, link := range [][2]string{
		{"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
	} {
		if err := os.Symlink(link[0], "/dev/"+link[1]); err != nil {
			return err
		}
	}
	if err := errors.Join(os.Mkdir("/dev/pts", 0o755), os.Mkdir("/dev/shm", 0o755)); err != nil {
		return err
	}
	if err := tmpfs("/dev/shm", "mode=1777"); err != nil {
		return err
	}
	return unix.Mount("devpts", "/dev/pts", "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
}

// makeProc mounts a /proc that knows only the program's processes. The parts that set up the kernel are closed, as a
// program of root's could write them by owning them.
func makeProc() error {
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return err
	}
	for _, p := range []string{"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi"} {
		mount, err := clone(unix.AT_FDCWD, p, 0)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(closeTo(mount, "", unix.AT_EMPTY_PATH), attach(mount, unix.AT_FDCWD, p), unix.Close(mount)); err != nil {
			return err
		}
	}
	return nil
}
