package cli

import (
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// schemaOf reads the schema that the comments of a file hold:
//
//	# @required @type=url @hosts="api.example.com *.example.org"
//	# @type=enum(debug,info) @pattern="^[a-z]+$" @sensitive=false
//
// Decorators that are not ours are left to those whose they are.
func schemaOf(entries []dotenv.Entry) platform.Schema {
	schema := platform.Schema{}
	for _, e := range entries {
		rule, found := platform.Rule{}, false
		for _, d := range e.Decorators {
			found = decorate(&rule, d) || found
		}
		if found {
			schema[e.Name] = rule
		}
	}
	return schema
}

func decorate(r *platform.Rule, d dotenv.Decorator) (ours bool) {
	switch d.Name {
	case "required":
		r.Required = d.Value != "false"
	case "optional":
		r.Required = false
	case "type":
		r.Type, r.Values = typeOf(d.Value)
	case "pattern":
		r.Pattern = d.Value
	case "sensitive":
		sensitive := d.Value != "false"
		r.Sensitive = &sensitive
	case "public":
		sensitive := false
		r.Sensitive = &sensitive
	case "hosts":
		r.Hosts = strings.FieldsFunc(d.Value, func(c rune) bool { return c == ' ' || c == ',' })
	default:
		return false
	}
	return true
}

// typeOf takes "enum(a,b)" apart.
func typeOf(text string) (name string, values []string) {
	inside, ok := strings.CutPrefix(text, "enum(")
	if !ok {
		return text, nil
	}
	return "enum", strings.FieldsFunc(strings.TrimSuffix(inside, ")"), func(c rune) bool { return c == ',' || c == ' ' })
}
