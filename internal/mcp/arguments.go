package mcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/nearest"
)

// arguments checks the arguments of a call against the tool's schema and lists the secrets that they name.
func (b *binding) arguments(raw json.RawMessage) (json.RawMessage, []string, error) {
	if len(bytes.TrimSpace(raw)) == 0 || string(bytes.TrimSpace(raw)) == "null" {
		raw = json.RawMessage("{}")
	}
	var given map[string]any
	if err := json.Unmarshal(raw, &given); err != nil {
		return nil, nil, tool.Invalid("the arguments of %s are no JSON object", Prefix+b.Name)
	}
	known := slices.Sorted(maps.Keys(b.Input.Properties))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) {
			return nil, nil, b.unknown(name, known)
		}
	}
	raw, err := withoutNulls(raw, given)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range b.Input.Required {
		if _, ok := given[name]; !ok {
			return nil, nil, tool.Invalid("%s needs the argument %q: %s", Prefix+b.Name, name, b.Input.Properties[name].Description)
		}
	}
	if err := b.input.Validate(given); err != nil {
		return nil, nil, tool.Invalid("the arguments of %s are not what its schema says: %v", Prefix+b.Name, err)
	}
	return raw, namesIn(given), nil
}

// withoutNulls leaves out arguments that are null: models send those for what they do not mean to give.
func withoutNulls(raw json.RawMessage, given map[string]any) (json.RawMessage, error) {
	before := len(given)
	maps.DeleteFunc(given, func(_ string, v any) bool { return v == nil })
	if len(given) == before {
		return raw, nil
	}
	var each map[string]json.RawMessage
	if err := json.Unmarshal(raw, &each); err != nil {
		return nil, err
	}
	maps.DeleteFunc(each, func(name string, _ json.RawMessage) bool { _, ok := given[name]; return !ok })
	return json.Marshal(each)
}

// unknown refuses an argument that the tool does not have. Its value is not repeated.
func (b *binding) unknown(name string, known []string) error {
	if why, ok := b.Refused[strings.ToLower(name)]; ok {
		return tool.Invalid("%s takes no argument %q: %s", Prefix+b.Name, name, why)
	}
	if near, ok := nearest.Of(name, known); ok {
		return tool.Invalid("%s has no argument %q; did you mean %q?", Prefix+b.Name, name, near)
	}
	if len(known) == 0 {
		return tool.Invalid("%s takes no arguments, not %q", Prefix+b.Name, name)
	}
	return tool.Invalid("%s has no argument %q; it has %s", Prefix+b.Name, name, strings.Join(known, ", "))
}

// namesIn lists the secrets that arguments name by the names that tools use for that, for the audit log.
func namesIn(given map[string]any) []string {
	var names []string
	for _, key := range []string{"name", "names", "secret", "secrets", "passphrase_secret", "to_name"} {
		switch v := given[key].(type) {
		case string:
			names = append(names, v)
		case []any:
			for _, each := range v {
				names = append(names, fmt.Sprint(each))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// unknownTool is the text about a tool that is not there.
func (s *Server) unknownTool(name string) string {
	if why, ok := s.off[name]; ok {
		return fmt.Sprintf("tool %q is not available: %s", name, why)
	}
	names := s.Names()
	if near, ok := nearest.Of(name, names); ok {
		return fmt.Sprintf("unknown tool %q; did you mean %q?", name, near)
	}
	if near, ok := nearest.Of(Prefix+name, names); ok {
		return fmt.Sprintf("unknown tool %q; did you mean %q?", name, near)
	}
	return fmt.Sprintf("unknown tool %q", name)
}
