package dotenv_test

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
)

// outer is the process environment that testdata/oracle.cjs has.
func outer(name string) (string, bool) {
	v, ok := map[string]string{"OUTER": "from outside", "EMPTY": ""}[name]
	return v, ok
}

func expanded(src []byte) map[string]string {
	f, _ := dotenv.Parse(src)
	all := map[string]string{}
	for _, e := range dotenv.Expand(f.Effective(), outer) {
		all[e.Name] = string(e.Value.Reveal())
	}
	return all
}

// expandPieces leave out what makes the package itself run for ever: an escaped reference to the entry that holds it.
var expandPieces = []string{"$A", "${A}", "$B", "${B:-d}", "${C-d}", "${A:+x}", "${B+y}", "${OUTER}", "$OUTER", "${EMPTY:-e}", "\\$X", "\\${X}", "$", "$$", "{", "}", "text", "-",
	":", "${A:-${B}}", "${}", "$1", "_", "${A-B-C}", " "}

func TestExpand_MeansWhatNodeSays(t *testing.T) {
	t.Parallel()
	o := startOracle(t)
	rapid.Check(t, func(rt *rapid.T) {
		var src strings.Builder
		for _, name := range []string{"A", "B", "C", "OUTER"} {
			src.WriteString(name + "=" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(expandPieces), 0, 5).Draw(rt, name), "") + "\n")
		}
		if got, want := expanded([]byte(src.String())), o.ask(t, "expand", []byte(src.String())); !maps.Equal(got, want) {
			rt.Fatalf("%q expands to %q; node says %q", src.String(), got, want)
		}
	})
}
