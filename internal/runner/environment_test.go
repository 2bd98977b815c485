package runner_test

import (
	"runtime"
	"slices"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/runner"
)

func TestWithout(t *testing.T) {
	t.Parallel()
	environ := []string{"A=1", "KEY=x", "KEYS=2", "=C:=C:\\", "KEY=again", "FILE", "key=lower", "B=KEY=3"}
	before := slices.Clone(environ)
	want := []string{"A=1", "KEYS=2", "=C:=C:\\", "key=lower", "B=KEY=3"}
	if runtime.GOOS == "windows" { // where case is no difference
		want = slices.DeleteFunc(want, func(e string) bool { return e == "key=lower" })
	}
	if got := runner.Without(environ, "KEY", "FILE"); !slices.Equal(got, want) {
		t.Errorf("left: %q; want %q", got, want)
	}
	if !slices.Equal(environ, before) {
		t.Errorf("what it was given became %q", environ)
	}
}
