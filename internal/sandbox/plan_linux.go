package sandbox

import (
	"os"
	"path/filepath"
	"slices"
)

// jail is what the init is told. It travels as JSON.
type jail struct {
	Program string
	Dir     string
	Rules   []rule
	Forward []Forward
	Watch   watchList
	Parent  int // the process outside

	Namespaces bool // user, mount, network, IPC
	Processes  bool // and processes
	Landlock   int  // version of the ABI, 0 for without
	Seccomp    bool
}

// watchList says where files may appear that are to be hidden.
type watchList struct {
	Patterns []string
	Folders  []string // folders of the working directory
	Paths    []string // hidden paths, there or not yet
}

// result is what the init answers.
type result struct {
	Done    bool
	Problem string
	Status  Status
}

// Kernel's debugging interfaces, which root's files would let a program of root read.
var kernelDebug = []string{"/sys/kernel/debug", "/sys/kernel/tracing", "/sys/fs/bpf", "/sys/fs/pstore"}

// Parts of /run that programs of the system need and that hold no sockets.
var partsOfRun = []string{"/run/current-system", "/run/booted-system", "/run/opengl-driver"}

// plan turns options into rules, as far as it can be done outside.
func plan(o *Options, f *features) (*jail, error) {
	j := &jail{
		Dir: o.Dir, Forward: o.Forward,
		Namespaces: f.namespaces == nil, Processes: f.processes() == nil, Landlock: f.landlock, Seccomp: f.seccomp == nil,
	}
	mounts, err := readMounts()
	if err != nil {
		return nil, err
	}
	s := &ruleSet{kinds: map[string]kind{}}
	if err := s.addSystem(j.Namespaces); err != nil {
		return nil, err
	}
	if err := s.addAll(append([]string{o.Dir}, o.ReadWrite...), readWrite); err != nil {
		return nil, err
	}
	if err := s.addAll(o.ReadOnly, readOnly); err != nil {
		return nil, err
	}
	tree, err := filepath.EvalSymlinks(o.Dir)
	if err != nil {
		return nil, err
	}
	hide := slices.Concat(o.Hide, kernelDebug)
	if j.Namespaces { // elsewhere a file cannot be taken out of a writable folder
		files, folders, err := findNames(tree, o.HideFiles)
		if err != nil {
			return nil, err
		}
		hide = append(hide, files...)
		j.Watch = watchList{Patterns: o.HideFiles, Folders: folders}
	}
	if err := s.addAll(hide, hidden); err != nil {
		return nil, err
	}
	if err := s.addAll(s.aliases(mounts), hidden); err != nil {
		return nil, err
	}
	if j.Namespaces {
		if err := s.addHardLinks(tree); err != nil {
			return nil, err
		}
	}
	if j.Namespaces { // elsewhere no unix socket can be made
		if err := s.addSockets(); err != nil {
			return nil, err
		}
	}
	j.Rules = s.sorted()
	j.Watch.Paths = s.toWatch()
	return j, nil
}

func (s *ruleSet) addAll(paths []string, k kind) error {
	for _, p := range paths {
		if err := s.add(p, k); err != nil {
			return err
		}
	}
	return nil
}

// addSystem adds what holds for every program. Without a mount namespace nothing can be empty and writable: /tmp is shared
// then, and of /dev only what every program needs is left.
func (s *ruleSet) addSystem(mounts bool) error {
	if mounts {
		if err := s.addAll([]string{"/tmp", "/var/tmp", "/run"}, scratch); err != nil {
			return err
		}
		return s.addAll(partsOfRun, readOnly)
	}
	if err := s.addAll([]string{"/tmp", "/var/tmp", "/dev/shm"}, readWrite); err != nil {
		return err
	}
	for _, d := range devices {
		if err := s.add("/dev/"+d, readWrite); err != nil {
			return err
		}
	}
	if err := s.addAll([]string{"/run", "/dev"}, hidden); err != nil {
		return err
	}
	return s.addAll(partsOfRun, readOnly)
}

// addSockets hides every unix socket that has a name in the file system now, but for those that were given.
func (s *ruleSet) addSockets() error {
	text, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return nil //nolint:nilerr // some containers have no such file; the rules for folders hold all the same
	}
	rules := s.sorted()
	for _, p := range namedSockets(string(text)) {
		if _, given := s.kinds[p]; given || kindOf(rules, p) == hidden || kindOf(rules, p) == scratch {
			continue
		}
		if err := s.add(p, hidden); err != nil {
			return err
		}
	}
	return nil
}

// toWatch lists the hidden paths at which a new file may appear: files that are replaced, and paths where nothing is yet.
func (s *ruleSet) toWatch() []string {
	paths := slices.Clone(s.absent)
	for p, k := range s.kinds {
		if info, err := os.Lstat(p); k == hidden && err == nil && info.Mode().IsRegular() {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	return paths
}
