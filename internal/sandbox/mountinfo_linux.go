package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mountPoint is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)): the fields that we need.
type mountPoint struct {
	device string // major:minor of the file system
	root   string // the folder of that file system that is seen
	at     string // where
}

func readMounts() ([]mountPoint, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("reading the mounts: %w", err)
	}
	return parseMounts(string(text))
}

func parseMounts(text string) ([]mountPoint, error) {
	var mounts []mountPoint
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 10 {
			return nil, fmt.Errorf("reading the mounts: line with %d fields", len(fields))
		}
		mounts = append(mounts, mountPoint{fields[2], unescape.Replace(fields[3]), unescape.Replace(fields[4])})
	}
	return mounts, nil
}

// aliases returns the other paths at which hidden files are seen, because their file system is mounted more than once.
func (s *ruleSet) aliases(mounts []mountPoint) []string {
	var paths []string
	for p, k := range s.kinds {
		if k == hidden {
			paths = append(paths, otherPaths(mounts, p)...)
		}
	}
	return paths
}

func otherPaths(mounts []mountPoint, path string) []string {
	i := covering(mounts, path)
	if i < 0 {
		return nil
	}
	home := mounts[i]
	inFS := filepath.Join(home.root, strings.TrimPrefix(path, home.at))
	var paths []string
	for _, m := range mounts {
		if m.device == home.device && within(inFS, m.root) {
			if other := filepath.Join(m.at, strings.TrimPrefix(inFS, m.root)); other != path {
				paths = append(paths, other)
			}
		}
	}
	return paths
}

// covering returns the mount that path lies on: the longest, and of several at one place the last.
func covering(mounts []mountPoint, path string) int {
	best := -1
	for i, m := range mounts {
		if within(path, m.at) && (best < 0 || len(m.at) >= len(mounts[best].at)) {
			best = i
		}
	}
	return best
}

// namedSockets returns the absolute paths in the text of /proc/net/unix. Abstract names begin with "@".
func namedSockets(text string) []string {
	var paths []string
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		_, p, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " /")
		if p = "/" + p; ok && !seen[p] {
			seen[p] = true
			paths = append(paths, p)
		}
	}
	return paths
}
