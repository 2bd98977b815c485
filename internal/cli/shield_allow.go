package cli

import (
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/shield/rule"
)

// rules reads --allow.
func (f shieldFlags) rules() (map[string][]grant.Rule, error) {
	all := map[string][]grant.Rule{}
	for _, text := range f.allow {
		name, r, err := readAllow(text)
		if err != nil {
			return nil, err
		}
		all[name] = append(all[name], r)
	}
	return all, nil
}

// readAllow reads "NAME=HOST,HOST;in=PLACE;methods=GET;paths=/v1/**;max=3".
func readAllow(text string) (name string, r grant.Rule, err error) {
	name, rest, ok := strings.Cut(text, "=")
	fields := strings.Split(rest, ";")
	r = grant.Rule{Tools: []string{rule.Tool}, Hosts: list(fields[0])}
	if !ok || name == "" || len(r.Hosts) == 0 {
		return "", r, usage("--allow %q: want NAME=HOST[,HOST...]", text)
	}
	for _, field := range fields[1:] {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "in":
			r.In = list(value)
		case "methods":
			r.Methods = list(value)
		case "paths":
			r.Paths = list(value)
		case "max":
			if r.Max, err = strconv.Atoi(value); err != nil || r.Max < 1 {
				return "", r, usage("--allow %q: max is not a number from 1", text)
			}
		default:
			return "", r, usage("--allow %q: there is no %q; there are in, methods, paths and max", text, key)
		}
	}
	return name, r, nil
}

// list splits at commas.
func list(text string) []string {
	var all []string
	for _, one := range strings.Split(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}
