package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/shield/rule"
)

// rules reads --allow.
func (f shieldFlags) rules(now time.Time) (map[string][]grant.Rule, error) {
	all := map[string][]grant.Rule{}
	for _, text := range f.allow {
		name, r, err := readAllow(text, now)
		if err != nil {
			return nil, usage("--allow %q: %w", text, err)
		}
		all[name] = append(all[name], r)
	}
	return all, nil
}

// readAllow reads "NAME=HOST,HOST;in=PLACE;methods=GET;paths=/v1/**;max=3".
func readAllow(text string, now time.Time) (name string, r grant.Rule, err error) {
	name, rest, ok := strings.Cut(text, "=")
	parts := strings.Split(rest, ";")
	f := grant.Fields{Tools: []string{rule.Tool}, Hosts: list(parts[0])}
	if !ok || name == "" || len(f.Hosts) == 0 {
		return "", r, errors.New("want NAME=HOST[,HOST...]")
	}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "in":
			f.In = list(value)
		case "methods":
			f.Methods = list(value)
		case "paths":
			f.Paths = list(value)
		case "max":
			if f.Max, err = strconv.Atoi(value); err != nil || f.Max < 1 {
				return "", r, errors.New("max is not a number from 1")
			}
		default:
			return "", r, fmt.Errorf("there is no %q; there are in, methods, paths and max", key)
		}
	}
	r, err = grant.ParseRule(f, now)
	return name, r, err
}

// list splits at commas.
func list(text string) []string {
	var all []string
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}
