package placeholder

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// sample is a kind of credential that can be made up.
type sample struct {
	kind string
	// words are what names of such secrets have in them.
	words []string
	// shape has the kind's prefix and length.
	shape string
}

var samples = sync.OnceValue(func() []sample {
	x := func(n int) string { return strings.Repeat("x", n) }
	return []sample{
		{"aws", []string{"AWS", "AKIA"}, "AKIA" + x(16)},
		{"github", []string{"GITHUB", "GH_"}, "ghp_" + x(36)},
		{"gitlab", []string{"GITLAB"}, "glpat-" + x(20)},
		{"stripe", []string{"STRIPE"}, "sk_live_" + x(24)},
		{"anthropic", []string{"ANTHROPIC", "CLAUDE"}, "sk-ant-api03-" + x(95)},
		{"openai", []string{"OPENAI"}, "sk-proj-" + x(48)},
		{"google", []string{"GOOGLE", "GEMINI", "MAPS"}, "AIza" + x(35)},
		{"slack", []string{"SLACK"}, "xoxb-" + x(50)},
		{"npm", []string{"NPM"}, "npm_" + x(36)},
		{"postgres", []string{"DATABASE", "POSTGRES", "PG", "DB_"}, "postgres://admin:" + x(24) + "@10.20.0.5:5432/production"},
		{"hex", nil, strings.Repeat("0a", 20)},
	}
})

// Kinds lists what [Sample] can make up.
func Kinds() []string {
	var all []string
	for _, s := range samples() {
		all = append(all, s.kind)
	}
	return all
}

// KindFor is the kind that the name of a secret promises.
func KindFor(name string) string {
	for _, s := range samples() {
		if slices.ContainsFunc(s.words, func(word string) bool { return strings.Contains(strings.ToUpper(name), word) }) {
			return s.kind
		}
	}
	return "hex"
}

// Sample makes up a credential of a kind: it looks real, and opens nothing.
func Sample(kind string) (secret.Value, error) {
	i := slices.IndexFunc(samples(), func(s sample) bool { return s.kind == kind })
	if i < 0 {
		return secret.Value{}, fmt.Errorf("there is no kind %q: choose one of %s", kind, strings.Join(Kinds(), ", "))
	}
	made, err := New([]Secret{{Name: kind, Value: secret.Of(samples()[i].shape), Force: true}})
	if err != nil {
		return secret.Value{}, err
	}
	return secret.Of(made.Variable(kind)), nil
}
