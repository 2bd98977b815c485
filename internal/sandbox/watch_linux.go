package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watcher covers files that appear during the run: a .env that is written by another program, a hidden file that is
// replaced by a new one (which takes its cover away), a credential that is stored for the first time. There is an instant
// between appearing and being covered.
type watcher struct {
	m        *mounter
	events   *os.File
	fd       int
	patterns []string
	folders  map[int]string            // folders of the working directory, by watch
	names    map[int]map[string]string // paths by name in their folder, by watch
}

const appeared = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_ONLYDIR | unix.IN_MASK_ADD

// watch hides files that appear from now on.
func watch(m *mounter, list watchList) error {
	w, err := newWatcher(m, list)
	if err != nil {
		return err
	}
	go w.run()
	return nil
}

func newWatcher(m *mounter, list watchList) (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("starting to watch: %w", err)
	}
	w := &watcher{
		m: m, fd: fd, events: os.NewFile(uintptr(fd), "inotify"), patterns: list.Patterns,
		folders: map[int]string{}, names: map[int]map[string]string{},
	}
	for _, dir := range list.Folders {
		if err := w.watchFolder(dir, false); err != nil {
			return nil, errors.Join(err, w.events.Close())
		}
	}
	for _, p := range list.Paths {
		if err := w.watchPath(p); err != nil {
			return nil, errors.Join(err, w.events.Close())
		}
	}
	return w, nil
}

func (w *watcher) add(dir string) (int, error) {
	wd, err := unix.InotifyAddWatch(w.fd, dir, appeared)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOTDIR) {
		return -1, nil // the program cannot look there either
	}
	if err != nil {
		return -1, fmt.Errorf("watching %q: %w", dir, err)
	}
	return wd, nil
}

// watchFolder watches a folder; a new one is also searched for what came into it before.
func (w *watcher) watchFolder(dir string, isNew bool) error {
	wd, err := w.add(dir)
	if err != nil || wd < 0 {
		return err
	}
	w.folders[wd] = dir
	if !isNew {
		return nil
	}
	entries, err := readDir(dir)
	if err != nil {
		return nil //nolint:nilerr // it is gone again
	}
	for _, e := range entries {
		if err := w.found(dir, e.Name(), e.IsDir()); err != nil {
			return err
		}
	}
	return nil
}

func (w *watcher) watchPath(p string) error {
	wd, err := w.add(filepath.Dir(p))
	if err != nil || wd < 0 {
		return err
	}
	if w.names[wd] == nil {
		w.names[wd] = map[string]string{}
	}
	w.names[wd][filepath.Base(p)] = p
	return nil
}

// found treats one entry of a folder in the working directory.
func (w *watcher) found(dir, name string, isDir bool) error {
	p := filepath.Join(dir, name)
	if isDir {
		if passedBy(name) {
			return nil
		}
		return w.watchFolder(p, true)
	}
	if matches(w.patterns, name) {
		return w.m.cover(p)
	}
	return nil
}

// run treats events until the run ends with this process.
func (w *watcher) run() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := w.events.Read(buffer)
		if err == nil {
			err = w.treat(buffer[:n])
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "zvault: hiding a file that appeared: %v\n", err)
		}
		if n <= 0 {
			return
		}
	}
}

// treat goes through events as inotify(7) lays them out.
func (w *watcher) treat(buffer []byte) error {
	var all error
	for len(buffer) >= unix.SizeofInotifyEvent {
		e := (*unix.InotifyEvent)(unsafe.Pointer(&buffer[0]))
		end := unix.SizeofInotifyEvent + int(e.Len)
		name := unix.ByteSliceToString(buffer[unix.SizeofInotifyEvent:end])
		buffer = buffer[end:]
		all = errors.Join(all, w.one(int(e.Wd), e.Mask, name))
	}
	return all
}

func (w *watcher) one(wd int, mask uint32, name string) error {
	if mask&unix.IN_Q_OVERFLOW != 0 {
		return w.again()
	}
	if mask&unix.IN_IGNORED != 0 {
		delete(w.folders, wd)
		delete(w.names, wd)
		return nil
	}
	var all error
	if p, ok := w.names[wd][name]; ok {
		all = w.m.cover(p)
	}
	if dir, ok := w.folders[wd]; ok {
		all = errors.Join(all, w.found(dir, name, mask&unix.IN_ISDIR != 0))
	}
	return all
}

// again looks at everything, as events were lost.
func (w *watcher) again() error {
	var all error
	for _, names := range w.names {
		for _, p := range names {
			all = errors.Join(all, w.m.cover(p))
		}
	}
	var folders []string
	for _, dir := range w.folders {
		folders = append(folders, dir)
	}
	for _, dir := range folders {
		all = errors.Join(all, w.watchFolder(dir, true))
	}
	return all
}
