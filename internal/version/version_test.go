package version

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	vcs := []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}}
	tests := map[string]struct {
		stamped               Info
		build                 *debug.BuildInfo
		version, commit, date string
	}{
		"the linker's word counts": {
			Info{Version: "1.2.3", Commit: "def", Date: "2020-01-01T00:00:00Z"},
			&debug.BuildInfo{Main: debug.Module{Version: "v9.9.9"}, Settings: vcs}, "1.2.3", "def", "2020-01-01T00:00:00Z",
		},
		"go install of a release": {Info{}, &debug.BuildInfo{Main: debug.Module{Version: "v1.4.0"}}, "1.4.0", "", ""},
		"go build in a checkout":  {Info{}, &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: vcs}, unknown, "abc", "2026-01-02T03:04:05Z"},
		"no record":               {Info{}, nil, unknown, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := Info{tt.version, tt.commit, tt.date, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			if got := describe(tt.stamped, tt.build); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestInfo_String(t *testing.T) {
	t.Parallel()
	i := Info{Version: "1.2.3", Commit: "0123456789abcdef", Date: "2026-01-02T03:04:05Z", Go: "go1", Platform: "linux/amd64"}
	if got, want := i.String(), "zvault 1.2.3 (0123456789ab, 2026-01-02T03:04:05Z) go1 linux/amd64"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	i.Date = ""
	if got, want := i.String(), "zvault 1.2.3 (0123456789ab) go1 linux/amd64"; got != want {
		t.Errorf("without a date: got %q, want %q", got, want)
	}
	i.Commit = ""
	if got, want := i.String(), "zvault 1.2.3 go1 linux/amd64"; got != want {
		t.Errorf("without a commit: got %q, want %q", got, want)
	}
}

func TestInfo_JSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(Get())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"version":"`, `"go":"`, `"platform":"`} {
		if !strings.Contains(string(b), key) {
			t.Errorf("%s has no %s", b, key)
		}
	}
}
