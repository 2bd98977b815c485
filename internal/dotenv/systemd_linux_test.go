package dotenv_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// startSystemd gives the real reader of EnvironmentFile=: all variables of a file, in order.
func startSystemd(t *testing.T) func(t *testing.T, file []byte) [][2]string {
	t.Helper()
	cmd := exec.Command("python3", "testdata/systemd.py")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("python3 is needed for this test: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Errorf("systemd.py: %v", err)
		}
	})
	ask, answers := json.NewEncoder(in), bufio.NewReader(out)
	return func(t *testing.T, file []byte) [][2]string {
		t.Helper()
		if err := ask.Encode(map[string]string{"src": base64.StdEncoding.EncodeToString(file)}); err != nil {
			t.Fatal(err)
		}
		line, err := answers.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var encoded [][2][]byte
		if err := json.Unmarshal(line, &encoded); err != nil {
			t.Fatalf("systemd.py answered %q: %v", line, err)
		}
		var all [][2]string
		for _, p := range encoded {
			all = append(all, [2]string{string(p[0]), string(p[1])})
		}
		return all
	}
}

// TestWrite_Systemd: what is written is read as it was by systemd itself, and it and its neighbours are all that is read; or it
// was refused.
func TestWrite_Systemd(t *testing.T) {
	t.Parallel()
	read := startSystemd(t)
	refused, written := 0, 0
	try := func(t interface{ Fatalf(string, ...any) }, value string, inner *testing.T) {
		file, err := dotenv.Write(dotenv.Systemd, "", []dotenv.Variable{{Name: "BEFORE", Value: secret.Of("1")}, {Name: "KEY", Value: secret.Of(value)}, {Name: "_after2", Value: secret.Of("2")}})
		if errors.Is(err, dotenv.ErrRefused) {
			refused++
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		written++
		want := [][2]string{{"BEFORE", "1"}, {"KEY", value}, {"_after2", "2"}}
		if diff := cmp.Diff(want, read(inner, file)); diff != "" {
			t.Fatalf("%q is written as\n%s\nwhich systemd reads as (-want +got):\n%s", value, file, diff)
		}
	}
	for _, v := range slices.Concat(nasty, open, closing, []string{"a\\\nb", "\\", "\\\\\n", "x\n#y\n;z", "K=v\nL=w", " \n ", "\u00a0", "\ufeff"}) {
		try(t, v, t)
	}
	if written < len(nasty)/2 {
		t.Errorf("%d of %d values were refused", refused, len(nasty))
	}
	rapid.Check(t, func(rt *rapid.T) { try(rt, drawn.Draw(rt, "value"), t) })
}

// The reader is the real one: it knows comments, continued lines and both kinds of quotes, and leaves out what is no assignment. This
// version takes other control characters than tab and line end too; systemd.exec(5) says that they are rejected, so Write refuses them.
func TestSystemdReader(t *testing.T) {
	t.Parallel()
	read := startSystemd(t)
	got := read(t, []byte("# a comment\n; another\nA=one \\\ntwo\nB='a\\b'\nC=\"a\\$b\\n\"\nnothing\n1D=x\nA=three\nE= x y \nF=\"x\x01y\"\nG=\"x\ry\"\n"))
	want := [][2]string{{"A", "three"}, {"B", `a\b`}, {"C", `a$b\n`}, {"E", "x y"}, {"F", "x\x01y"}, {"G", "x\ry"}}
	slices.SortFunc(got, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
