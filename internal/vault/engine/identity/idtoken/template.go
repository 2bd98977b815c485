package idtoken

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

var errBraces = errors.New("unbalanced templating characters")

// fill puts values, as JSON, into the expressions of a template. What somebody has no value for is an empty text, list or object.
func fill(template string, p *Person, now time.Time) ([]byte, error) {
	var out []byte
	parts := strings.Split(template, "{{")
	for i, part := range parts {
		expression, literal, found := strings.Cut(part, "}}")
		if i == 0 {
			if found {
				return nil, errBraces
			}
			out = append(out, part...)
			continue
		}
		if !found || strings.Contains(literal, "}}") {
			return nil, errBraces
		}
		v, err := value(strings.TrimSpace(expression), p, now)
		if err != nil {
			return nil, err
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		out = append(append(out, raw...), literal...)
	}
	return out, nil
}

// value is what an expression stands for.
func value(expression string, p *Person, now time.Time) (any, error) {
	if rest, ok := strings.CutPrefix(expression, "time."); ok {
		return moment(rest, now)
	}
	rest, ok := strings.CutPrefix(expression, "identity.entity.")
	if !ok {
		return nil, fmt.Errorf("no value could be found for %q", expression)
	}
	names, ids := make([]string, len(p.Groups)), make([]string, len(p.Groups))
	for i, g := range p.Groups {
		names[i], ids[i] = g.Name, g.ID
	}
	switch rest {
	case "groups.names":
		return names, nil
	case "groups.ids":
		return ids, nil
	}
	if alias, ok := strings.CutPrefix(rest, "aliases."); ok {
		accessor, what, _ := strings.Cut(alias, ".")
		a := Alias{}
		if i := slices.IndexFunc(p.Aliases, func(a Alias) bool { return a.Accessor == accessor }); i >= 0 {
			a = p.Aliases[i]
		}
		if what == "custom_metadata" || strings.HasPrefix(what, "custom_metadata.") {
			return property(a.ID, a.Name, a.Custom, strings.TrimPrefix(what, "custom_"))
		}
		return property(a.ID, a.Name, a.Metadata, what)
	}
	return property(p.ID, p.Name, p.Metadata, rest)
}

func property(id, name string, metadata map[string]string, what string) (any, error) {
	switch what {
	case "id":
		return id, nil
	case "name":
		return name, nil
	case "metadata":
		if metadata == nil {
			return map[string]string{}, nil
		}
		return metadata, nil
	}
	if k, ok := strings.CutPrefix(what, "metadata."); ok {
		return metadata[k], nil
	}
	return nil, fmt.Errorf("no value could be found for %q", what)
}

// moment is a time in seconds: now, now.plus.1h, now.minus.1h.
func moment(what string, now time.Time) (any, error) {
	parts := strings.Split(what, ".")
	switch {
	case len(parts) == 1 && parts[0] == "now":
		return now.Unix(), nil
	case len(parts) != 3 || parts[0] != "now" || parts[1] != "plus" && parts[1] != "minus":
		return nil, fmt.Errorf("invalid time selector %q", what)
	}
	d, err := time.ParseDuration(parts[2])
	if err != nil {
		return nil, fmt.Errorf("invalid duration: %w", err)
	}
	if parts[1] == "minus" {
		d = -d
	}
	return now.Add(d).Unix(), nil
}
