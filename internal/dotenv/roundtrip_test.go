package dotenv_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// fataler is a test or a check of rapid.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// roundTrip writes lists of values in a dialect and reads them with the program that the dialect is for.
type roundTrip struct {
	t    *testing.T
	d    dotenv.Dialect
	read reader
}

// try reports whether the values could be written. They must then be read as they were; else one of them must be the reason,
// whatever stands beside it, and be named.
func (r roundTrip) try(t fataler, values ...string) bool {
	t.Helper()
	var variables []dotenv.Variable
	want := map[string]string{}
	for i, v := range values {
		name := fmt.Sprintf("V%d", i)
		variables, want[name] = append(variables, dotenv.Variable{Name: name, Value: secret.Of(v)}), v
	}
	file, err := dotenv.Write(r.d, "app", variables)
	if errors.Is(err, dotenv.ErrRefused) {
		if file != nil || !slices.ContainsFunc(variables, func(v dotenv.Variable) bool { return r.refuses(v, err) }) {
			t.Fatalf("%q are refused, but none of them is refused alone: %v", values, err)
		}
		return false
	}
	if err != nil {
		t.Fatalf("%q: %v", values, err)
	}
	if got := r.read(r.t, file); !maps.Equal(got, want) {
		t.Fatalf("%q are written as\n%s\nand read as %q", values, file, got)
	}
	return true
}

// refuses reports whether v cannot be written on its own, and err names it.
func (r roundTrip) refuses(v dotenv.Variable, err error) bool {
	_, alone := dotenv.Write(r.d, "app", []dotenv.Variable{v})
	return errors.Is(alone, dotenv.ErrRefused) && strings.HasPrefix(err.Error(), v.Name+" ")
}
