package runner

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Variable is one environment variable with a secret value.
type Variable struct {
	Name  string
	Value secret.Value
}

// ErrEnvironment is wrapped by every error of Environment.
var ErrEnvironment = errors.New("the environment cannot hold it")

// Environment lays variables over an inherited environment. Of two with the same name the later wins. Errors name the
// variable, never its value.
func Environment(inherited []string, variables []Variable) ([]string, error) {
	set := make(map[string]int, len(variables))
	for i, v := range variables {
		if err := checkVariable(v); err != nil {
			return nil, err
		}
		set[fold(v.Name)] = i
	}
	out := make([]string, 0, len(inherited)+len(variables))
	for _, entry := range lastOfEach(inherited) {
		name, _, _ := strings.Cut(entry, "=")
		if _, replaced := set[fold(name)]; !replaced {
			out = append(out, entry)
		}
	}
	for i, v := range variables {
		if set[fold(v.Name)] == i {
			out = append(out, v.Name+"="+string(v.Value.Reveal()))
		}
	}
	return out, checkSize(out, variables)
}

// Without returns the entries of an environment but for the variables named. It leaves environ as it is.
func Without(environ []string, names ...string) []string {
	out := make([]string, 0, len(environ))
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.ContainsFunc(names, func(n string) bool { return fold(n) == fold(name) }) {
			out = append(out, entry)
		}
	}
	return out
}

// lastOfEach keeps the last entry of each name, where it stands. Entries without a name are kept: Windows has such.
func lastOfEach(entries []string) []string {
	seen := make(map[string]bool, len(entries))
	out := make([]string, 0, len(entries))
	for _, entry := range slices.Backward(entries) {
		name, _, _ := strings.Cut(entry, "=")
		if name != "" && seen[fold(name)] {
			continue
		}
		seen[fold(name)] = true
		out = append(out, entry)
	}
	slices.Reverse(out)
	return out
}

func checkVariable(v Variable) error {
	switch {
	case v.Name == "":
		return fmt.Errorf("a variable without a name: %w", ErrEnvironment)
	case strings.ContainsAny(v.Name, "=\x00"):
		return fmt.Errorf("%q has a '=' or NUL in its name: %w", v.Name, ErrEnvironment)
	case bytes.IndexByte(v.Value.Reveal(), 0) >= 0:
		return fmt.Errorf("%s has a NUL in its value: %w", v.Name, ErrEnvironment)
	}
	return nil
}
