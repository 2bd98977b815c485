package pebble

import (
	"io"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// unlocked is a file system that cannot be written to, so that no lock is needed and none can be had.
type unlocked struct{ vfs.FS }

// Lock implements vfs.FS.
func (unlocked) Lock(string) (io.Closer, error) { return noLock{}, nil }

type noLock struct{}

func (noLock) Close() error { return nil }

// foreign returns the names in a folder that are not what an unfinished first start of Pebble leaves behind, nor what
// a file system puts there itself.
func foreign(names []string) []string {
	var others []string
	for _, name := range names {
		switch {
		case name == "LOCK", name == "lost+found", strings.HasPrefix(name, "MANIFEST-"), strings.HasPrefix(name, "marker."),
			strings.HasPrefix(name, "OPTIONS-"), strings.HasPrefix(name, "temporary."), strings.HasSuffix(name, ".log"),
			strings.HasSuffix(name, ".dbtmp"):
		default:
			others = append(others, name)
		}
	}
	return others
}
