package kv2

import (
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// The names of entries. The last segment of a version's name is its number, so a key that is also a folder shares no name
// with what is in it.
const (
	configName  = "config"
	metaPrefix  = "meta/"
	entryPrefix = "ver/"
)

func metaName(path string) string { return metaPrefix + path }

func entryName(path string, number uint64) string {
	var digits [20]byte
	return entryPrefix + path + "/" + string(strconv.AppendUint(digits[:0], number, 10))
}

// checkPath refuses paths that nothing may be written to.
func checkPath(path string) error {
	switch {
	case path == "":
		return logical.Invalid("missing path")
	case strings.HasSuffix(path, "/"):
		return logical.Invalid("cannot write to a path ending in '/'")
	}
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".", "..":
			return logical.Invalid("relative paths not supported")
		}
	}
	return nil
}
