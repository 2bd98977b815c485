package policy

import (
	"errors"
	"strings"
)

var errKeysFilter = errors.New(`write a path with {{ .key }} in it, and {{ .path }} if you like, ` +
	`as in "{{ .path }}{{ .key }}"; nothing else can be filled in`)

// parseKeysFilter splits the text of a filter: literal, name, literal, name, ..., literal.
func parseKeysFilter(text string) ([]string, error) {
	var parts []string
	key := false
	for rest := text; ; {
		literal, after, found := strings.Cut(rest, "{{")
		if strings.Contains(literal, "}}") {
			return nil, errKeysFilter
		}
		parts = append(parts, literal)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}}")
		if name = strings.TrimSpace(name); !closed || name != ".key" && name != ".path" {
			return nil, errKeysFilter
		}
		key = key || name == ".key"
		parts = append(parts, name)
		rest = tail
	}
	if !key {
		return nil, errKeysFilter
	}
	return parts, nil
}

// FilterPath returns the path that decides whether a list of path shows key, for a filter as in [Decision.KeysFilter]. A key that
// ends in a slash is shown if the token may list that path, another one if it may read it. It reports false for a filter that
// Parse would refuse.
func FilterPath(filter, path, key string) (string, bool) {
	parts, err := parseKeysFilter(filter)
	if err != nil {
		return "", false
	}
	for i := 1; i < len(parts); i += 2 {
		if parts[i] == ".key" {
			parts[i] = key
		} else {
			parts[i] = path
		}
	}
	return strings.Join(parts, ""), true
}
