package platform

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/resolve"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// ValueTypes are the types that a schema knows.
var ValueTypes = []string{"string", "url", "integer", "number", "boolean", "port", "email", "ip", "uuid", "duration", "json", "base64", "enum"}

// Violation is one thing wrong with an environment. It never holds the value.
type Violation struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Check holds an environment, as Reveal would give it, against the project's schema, and reports references that lead
// nowhere. No value leaves.
func (s *Service) Check(ctx context.Context, c Caller, e Env) ([]Violation, error) {
	if err := s.permit(ctx, c, actCheck, e.target()); err != nil {
		return nil, err
	}
	var out []Violation
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		p, err := s.project(ctx, tx, e.Project)
		if err != nil {
			return err
		}
		schema, _, err := readSchema(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		src := &source{s: s, tx: tx, c: c, personal: true, root: e}
		out, err = check(ctx, src, resolve.Scope{Project: e.Project, Env: e.Slug}, schema)
		return err
	})
	return out, failure("checking "+e.Project+"/"+e.Slug, err)
}

func check(ctx context.Context, src resolve.Source, scope resolve.Scope, schema Schema) ([]Violation, error) {
	layers, err := src.Layers(ctx, scope)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, l := range layers {
		for name := range l.Items {
			names[name] = true
		}
	}
	for name := range schema {
		names[name] = true
	}
	var out []Violation
	for _, name := range slices.Sorted(maps.Keys(names)) {
		reason, err := checkOne(ctx, src, scope, name, schema[name], isSet(layers, name))
		if err != nil {
			return nil, err
		}
		if reason != "" {
			out = append(out, Violation{Name: name, Reason: reason})
		}
	}
	return out, nil
}

func isSet(layers []resolve.Layer, name string) bool {
	return slices.ContainsFunc(layers, func(l resolve.Layer) bool { _, ok := l.Items[name]; return ok })
}

func checkOne(ctx context.Context, src resolve.Source, scope resolve.Scope, name string, rule Rule, set bool) (string, error) {
	if !set {
		if rule.Required {
			return "is required and not set", nil
		}
		return "", nil
	}
	values, err := resolve.Names(ctx, src, scope, []string{name})
	var broken *resolve.Error
	if errors.As(err, &broken) {
		return broken.Problems[0].Reason, nil
	}
	if err != nil {
		return "", err
	}
	return rule.violation(string(values[0].Value.Reveal())), nil
}

// violation says how a value breaks the rule, without the value.
func (r Rule) violation(value string) string {
	if value == "" {
		if r.Required {
			return "is required and empty"
		}
		return ""
	}
	if r.Type == "enum" && !slices.Contains(r.Values, value) {
		return "is none of " + strings.Join(r.Values, ", ")
	}
	if !hasType(r.Type, value) {
		return "is no " + r.Type
	}
	if r.Pattern == "" {
		return ""
	}
	whole, err := regexp.Compile(`^(?:` + r.Pattern + `)$`)
	if err != nil {
		return fmt.Sprintf("cannot be checked: pattern: %v", err)
	}
	if !whole.MatchString(value) {
		return "does not match " + r.Pattern
	}
	return ""
}

func hasType(kind, value string) bool {
	var err error
	switch kind {
	case "url":
		u, failed := url.Parse(value)
		return failed == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "" || u.Path != "")
	case "integer":
		_, err = strconv.ParseInt(value, 10, 64)
	case "number":
		_, err = strconv.ParseFloat(value, 64)
	case "boolean":
		return slices.Contains([]string{"true", "false", "1", "0", "yes", "no", "on", "off"}, strings.ToLower(value))
	case "port":
		n, failed := strconv.ParseUint(value, 10, 16)
		return failed == nil && n > 0
	case "email":
		a, failed := mail.ParseAddress(value)
		return failed == nil && a.Address == value
	case "ip":
		_, err = netip.ParseAddr(value)
	case "uuid":
		err = uuid.Validate(value)
	case "duration":
		_, err = time.ParseDuration(value)
	case "json":
		return json.Valid([]byte(value))
	case "base64":
		_, err = base64.StdEncoding.Strict().DecodeString(value)
	}
	return err == nil
}
