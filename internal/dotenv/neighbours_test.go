package dotenv_test

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// TestWriteNode_Neighbours requires that values which end in a backslash or hold quotes stay apart from the line below.
func TestWriteNode_Neighbours(t *testing.T) {
	t.Parallel()
	out, err := dotenv.Write(dotenv.Node, "", []dotenv.Variable{{Name: "A", Value: secret.Of(`\`)}, {Name: "B", Value: secret.Of(" #")}})
	if err != nil {
		t.Fatal(err)
	}
	f, problems := dotenv.Parse(out)
	if e := f.Entries(); len(problems) > 0 || len(e) != 2 || !e[0].Value.Equal(secret.Of(`\`)) || !e[1].Value.Equal(secret.Of(" #")) {
		t.Errorf("%q reads back as %d variables", out, len(e))
	}
}

// TestWriteNode_Law requires of any list of values that what is written reads back as that list, or that one of them is refused on
// its own: what stands beside a value takes nothing from it.
func TestWriteNode_Law(t *testing.T) {
	t.Parallel()
	value := rapid.StringOf(rapid.SampledFrom([]rune("\\'\"` #=\nx\r$")))
	rapid.Check(t, func(t *rapid.T) {
		var variables []dotenv.Variable
		for i, v := range rapid.SliceOfN(value, 1, 5).Draw(t, "values") {
			variables = append(variables, dotenv.Variable{Name: string(rune('A' + i)), Value: secret.Of(v)})
		}
		out, err := dotenv.Write(dotenv.Node, "", variables)
		if errors.Is(err, dotenv.ErrRefused) {
			if !slices.ContainsFunc(variables, func(v dotenv.Variable) bool { return roundTrip{d: dotenv.Node}.refuses(v, err) }) {
				t.Fatalf("none is refused alone: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		f, problems := dotenv.Parse(out)
		e := f.Entries()
		if len(problems) > 0 || len(e) != len(variables) {
			t.Fatalf("%q reads back as %d of %d variables", out, len(e), len(variables))
		}
		for i := range e {
			if e[i].Name != variables[i].Name || !e[i].Value.Equal(variables[i].Value) {
				t.Fatalf("%q: %s reads back as something else", out, e[i].Name)
			}
		}
	})
}
