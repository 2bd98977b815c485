package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The namespace begins with a copy of all mounts. Everything is made read-only; what the program may write is cloned before
// that and put over its own place; what it may not see is covered by an empty file or folder. New files cannot be
// uncovered, for that takes a capability which the program does not have.

// mounter covers and uncovers. Its two descriptors stay good for covering files that appear later.
type mounter struct {
	rules  []rule
	clones map[string]int // of paths that are put back, by path

	emptyDir, emptyFile int
	emptyDevice         uint64 // the device number by which a cover is known
}

// newMounter clones what will be put back, while everything is still as outside.
func newMounter(j *jail) (*mounter, error) {
	m := &mounter{rules: j.Rules, clones: map[string]int{}}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("making the mounts private: %w", err)
	}
	paths := deviceFiles()
	for _, r := range j.Rules {
		if r.Kind == readOnly || r.Kind == readWrite {
			paths = append(paths, r.Path)
		}
	}
	for _, p := range paths {
		fd, err := clone(unix.AT_FDCWD, p, 0)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) {
			continue // it went meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("cloning the mount of %q: %w", p, err)
		}
		m.clones[p] = fd
	}
	return m, nil
}

// clone returns a detached copy of the mounts at and below a path.
func clone(dir int, path string, flags uint) (int, error) {
	return unix.OpenTree(dir, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE|flags)
}

// attach puts a detached mount over a path, or over what a descriptor stands for if the path is empty.
func attach(mount, dir int, path string) error {
	flags := unix.MOVE_MOUNT_F_EMPTY_PATH
	if path == "" {
		flags |= unix.MOVE_MOUNT_T_EMPTY_PATH
	}
	return unix.MoveMount(mount, "", dir, path, flags)
}

// tame are the attributes of every mount: without set-user-id, and without devices, which a program of root's could open.
const tame = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV

// closeTo makes mounts read-only.
func closeTo(dir int, path string, flags uint) error {
	return unix.MountSetattr(dir, path, flags|unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
}

// build arranges all mounts.
func (m *mounter) build(j *jail) error {
	root := &unix.MountAttr{Attr_set: tame}
	if kindOf(m.rules, "/") != readWrite {
		root.Attr_set |= unix.MOUNT_ATTR_RDONLY
	}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, root); err != nil {
		return fmt.Errorf("making the file system read-only: %w", err)
	}
	if err := m.makeEmpty(); err != nil {
		return fmt.Errorf("making the cover of hidden files: %w", err)
	}
	if err := m.makeDev(); err != nil {
		return fmt.Errorf("making /dev: %w", err)
	}
	if j.Processes {
		if err := makeProc(); err != nil {
			return fmt.Errorf("making /proc: %w", err)
		}
	}
	var late []string
	for _, r := range m.rules {
		if err := m.apply(r, &late); err != nil {
			return fmt.Errorf("mounting at %q: %w", r.Path, err)
		}
	}
	for _, p := range late {
		if err := unix.MountSetattr(unix.AT_FDCWD, p, 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
			return fmt.Errorf("closing %q: %w", p, err)
		}
	}
	return nil
}

// apply does one rule; those of outer paths have been done. Hidden folders with something visible in them are noted in
// late, to be closed at the end.
func (m *mounter) apply(r rule, late *[]string) error {
	if r.Path == "/" {
		return nil
	}
	switch r.Kind {
	case scratch:
		return tmpfs(r.Path, "mode=1777")
	case hidden:
		if m.hasExceptions(r.Path) {
			*late = append(*late, r.Path)
			return tmpfs(r.Path, "mode=755")
		}
		return m.cover(r.Path)
	case readOnly, readWrite:
	}
	mount, ok := m.clones[r.Path]
	if !ok {
		return nil
	}
	if err := errors.Join(makeTarget(mount, r.Path), tameMount(mount, r.Kind)); err != nil {
		return err
	}
	return attach(mount, unix.AT_FDCWD, r.Path)
}

// tameMount sets the attributes of what is put back. A device that is named itself stays one.
func tameMount(mount int, k kind) error {
	var st unix.Stat_t
	if err := unix.Fstat(mount, &st); err != nil {
		return err
	}
	attr := unix.MountAttr{Attr_set: tame}
	if t := st.Mode & unix.S_IFMT; t == unix.S_IFCHR || t == unix.S_IFBLK {
		attr.Attr_set = unix.MOUNT_ATTR_NOSUID
	}
	if k == readOnly {
		attr.Attr_set |= unix.MOUNT_ATTR_RDONLY
	}
	return unix.MountSetattr(mount, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr)
}

// hasExceptions reports whether something in the hidden folder is put back.
func (m *mounter) hasExceptions(dir string) bool {
	for p := range m.clones {
		if p != dir && within(p, dir) {
			return true
		}
	}
	return false
}

// cover hides a path. One that is not there, for instance in a folder that is hidden itself, needs none.
func (m *mounter) cover(path string) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(m.coverOpen(fd), unix.Close(fd))
}

func (m *mounter) coverOpen(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	source := m.emptyFile
	switch {
	case st.Dev == m.emptyDevice || st.Mode&unix.S_IFMT == unix.S_IFLNK:
		return nil // covered already; a link is covered where it leads
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		source = m.emptyDir
	}
	mount, err := clone(source, "", unix.AT_EMPTY_PATH)
	if err != nil {
		return err
	}
	return errors.Join(attach(mount, fd, ""), unix.Close(mount))
}

// makeEmpty makes the file and the folder that cover others. They lie where /dev will be mounted over them.
func (m *mounter) makeEmpty() error {
	if err := tmpfs("/dev", "mode=755,size=4k"); err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir("/dev/d", 0o555), touch("/dev/f", 0o444), closeTo(unix.AT_FDCWD, "/dev", 0)); err != nil {
		return err
	}
	var err error
	if m.emptyDir, err = unix.Open("/dev/d", unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	if m.emptyFile, err = unix.Open("/dev/f", unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	var st unix.Stat_t
	err = unix.Fstat(m.emptyFile, &st)
	m.emptyDevice = st.Dev
	return err
}

// makeTarget makes an empty file or folder to mount on, if there is none: so in scratch folders.
func makeTarget(mount int, path string) error {
	var there unix.Stat_t
	if err := unix.Lstat(path, &there); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(mount, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return os.Mkdir(path, 0o755)
	}
	return touch(path, 0o600)
}

func tmpfs(path, options string) error {
	return unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options)
}

func touch(path string, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	return f.Close()
}

// deviceFiles are the paths of the devices that every program may use.
func deviceFiles() []string {
	paths := make([]string, len(devices))
	for i, d := range devices {
		paths[i] = "/dev/" + d
	}
	return paths
}

// devices are harmless: no disks, no memory, no other terminals.
var devices = [...]string{"null", "zero", "full", "random", "urandom", "tty"}
