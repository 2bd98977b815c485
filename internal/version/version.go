// Package version says which build this is.
//
// The three variables are set when the binary is linked (see the Makefile). A binary that was built without them, by
// `go install` for one, tells what the Go toolchain recorded instead.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Set by the linker: -X github.com/ArcadeLabsInc/zvault/internal/version.Version=… and so on.
var (
	// Version is the release, as in 1.2.3, without a leading v.
	Version = ""
	// Commit is the full hash of the commit that was built.
	Commit = ""
	// Date is the date of that commit, RFC 3339 in UTC. It is not the time of the build: that would make two builds differ.
	Date = ""
)

// unknown stands for a version that neither the linker nor the toolchain recorded.
const unknown = "0.0.0-unknown"

// Info describes the running binary.
type Info struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"` // empty where it was not recorded
	Date     string `json:"date,omitempty"`   // date of the commit, RFC 3339; empty where it was not recorded
	Go       string `json:"go"`
	Platform string `json:"platform"` // GOOS/GOARCH
}

// Get returns what is known about the running binary.
func Get() Info {
	build, _ := debug.ReadBuildInfo()
	return describe(Info{Version: Version, Commit: Commit, Date: Date}, build)
}

// describe fills what stamped lacks from the toolchain's record, which may be nil.
func describe(stamped Info, build *debug.BuildInfo) Info {
	i := stamped
	i.Go, i.Platform = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	if build != nil {
		i.fill(build)
	}
	if i.Version == "" {
		i.Version = unknown
	}
	return i
}

func (i *Info) fill(build *debug.BuildInfo) {
	if v := build.Main.Version; i.Version == "" && v != "(devel)" {
		i.Version = trimV(v)
	}
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision" && i.Commit == "":
			i.Commit = s.Value
		case s.Key == "vcs.time" && i.Date == "":
			i.Date = s.Value
		}
	}
}

func trimV(v string) string {
	if len(v) > 1 && v[0] == 'v' {
		return v[1:]
	}
	return v
}

// String returns one line for people: zvault 1.2.3 (1a2b3c4d5e6f, 2026-01-02T03:04:05Z) go1.26 linux/amd64.
func (i Info) String() string {
	origin := ""
	switch {
	case i.Commit != "" && i.Date != "":
		origin = fmt.Sprintf(" (%.12s, %s)", i.Commit, i.Date)
	case i.Commit != "":
		origin = fmt.Sprintf(" (%.12s)", i.Commit)
	}
	return fmt.Sprintf("zvault %s%s %s %s", i.Version, origin, i.Go, i.Platform)
}
