package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock (kernel documentation, userspace-api/landlock) takes rights from a thread and its descendants, by allowing them
// below given files. Below the mount namespace it is a second line; without one it must do alone, and as it can only allow,
// a hidden file is one that no rule reaches.

// Rights by what they are needed for.
const (
	rightsRead  = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	rightsABI1  = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1
	rightsFile  = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	ruleNetPort = 2
)

// landlockVersion returns the version of the interface that the kernel offers.
func landlockVersion() (int, error) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		return int(v), nil
	case unix.ENOSYS:
		return 0, errors.New("the kernel has none")
	case unix.EOPNOTSUPP:
		return 0, errors.New("it is switched off at boot")
	}
	return 0, errno
}

// allRights returns the file rights that a version knows.
func allRights(version int) uint64 {
	rights := uint64(rightsABI1)
	if version >= 2 {
		rights |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		rights |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 5 {
		rights |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	return rights
}

// allowance is a rule to be: rights below a path.
type allowance struct {
	path   string
	rights uint64
}

// landlock restricts this thread.
func landlock(j *jail) error {
	all := allRights(j.Landlock)
	attr := unix.LandlockRulesetAttr{Handled_access_fs: all}
	if j.Landlock >= 4 && !j.Namespaces {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if j.Landlock >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	// Only the first three fields: the others are younger than what is asked for.
	set, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Offsetof(attr.Quiet_access_fs), 0)
	if errno != 0 {
		return fmt.Errorf("making a Landlock ruleset: %w", errno)
	}
	allowed, err := allowances(j, all)
	if err != nil {
		return err
	}
	for _, a := range allowed {
		if err := allow(set, a); err != nil {
			return fmt.Errorf("allowing %q by Landlock: %w", a.path, err)
		}
	}
	if attr.Handled_access_net != 0 {
		if err := allowPorts(set, j.Forward); err != nil {
			return err
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return fmt.Errorf("entering Landlock: %w", errno)
	}
	return unix.Close(int(set))
}

func allow(set uintptr, a allowance) error {
	fd, err := unix.Open(a.path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) {
		return nil // what cannot be reached needs no rule
	}
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		a.rights &= rightsFile
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: a.rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, set, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errors.Join(errno, unix.Close(fd))
	}
	return unix.Close(fd)
}

// allowPorts lets TCP connections go to the forwarded ports only. Landlock knows no addresses.
func allowPorts(set uintptr, forwards []Forward) error {
	for _, f := range forwards {
		rule := struct{ access, port uint64 }{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, uint64(f.Port)}
		_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, set, ruleNetPort, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
		if errno != 0 {
			return fmt.Errorf("allowing port %d by Landlock: %w", f.Port, errno)
		}
	}
	return nil
}

// allowances turns rules into what Landlock allows.
func allowances(j *jail, all uint64) ([]allowance, error) {
	if j.Namespaces {
		allowed := []allowance{
			{"/", rightsRead}, {"/dev", all}, {"/proc", rightsRead | unix.LANDLOCK_ACCESS_FS_WRITE_FILE&all},
		}
		for _, r := range j.Rules {
			if r.Kind == readWrite || r.Kind == scratch {
				allowed = append(allowed, allowance{r.Path, all})
			}
		}
		return allowed, nil
	}
	allowed := []allowance{{"/", unix.LANDLOCK_ACCESS_FS_READ_DIR}}
	around, err := allowAround(j.Rules, "/", readOnly, rightsRead)
	if err != nil {
		return nil, err
	}
	allowed = append(allowed, around...)
	for _, r := range j.Rules {
		rights := uint64(rightsRead)
		if r.Kind == hidden {
			continue
		}
		if r.Kind == readWrite {
			rights = all
		}
		around, err := allowAround(j.Rules, r.Path, r.Kind, rights)
		if err != nil {
			return nil, err
		}
		allowed = append(allowed, around...)
	}
	return allowed, nil
}

// allowAround allows rights below a path, except where a longer rule says otherwise: a folder with such a rule in it is
// allowed entry by entry, which leaves out files that are made in it later.
func allowAround(rules []rule, path string, k kind, rights uint64) ([]allowance, error) {
	if kindOf(rules, path) != k {
		return nil, nil
	}
	inside := false
	for _, r := range rules {
		inside = inside || r.Path != path && within(r.Path, path) && r.Kind != k
	}
	if !inside {
		return []allowance{{path, rights}}, nil
	}
	entries, err := os.ReadDir(path)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) {
		return nil, nil // the program cannot read it either
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path, err)
	}
	var allowed []allowance
	for _, e := range entries {
		if e.Type()&os.ModeSymlink != 0 {
			continue // what counts is where it leads
		}
		more, err := allowAround(rules, filepath.Join(path, e.Name()), k, rights)
		if err != nil {
			return nil, err
		}
		allowed = append(allowed, more...)
	}
	return allowed, nil
}
