package vaultcmd

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// The rules of what is printed: data and what was done to stdout, warnings and errors to stderr. With another format than
// table, stdout has one document and nothing else.

// print writes text to stdout as it is.
func (c *call) print(text string) error {
	if _, err := fmt.Fprint(c.Out, text); err != nil {
		return broken(err, "writing output")
	}
	return nil
}

// line writes a line to stdout.
func (c *call) line(format string, args ...any) error {
	return c.print(fmt.Sprintf(format, args...) + "\n")
}

// done says what was done, where people read.
func (c *call) done(format string, args ...any) error {
	if c.format != asTable {
		return nil
	}
	return c.line(format, args...)
}

// warn writes to stderr. That it cannot be written changes nothing about what was done.
func (c *call) warn(format string, args ...any) {
	_, _ = fmt.Fprintln(c.Err, wrap(fmt.Sprintf(format, args...)))
}

// document writes a value as JSON or YAML.
func (c *call) document(v any) error {
	text, err := c.encode(v)
	if err != nil {
		return broken(err, "writing output")
	}
	return c.print(text + "\n")
}

func (c *call) encode(v any) (string, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil || c.format != asYAML {
		return string(text), err
	}
	return yamlOf(text)
}

// table writes rows under a header.
func (c *call) table(header []string, rows [][]string) error {
	return c.print(underlined(header, rows))
}

// keyValue is the header of most tables.
func keyValue() []string { return []string{"Key", "Value"} }

// object writes a map, sorted.
func (c *call) object(m map[string]any) error {
	if c.format != asTable {
		return c.document(m)
	}
	if len(m) == 0 {
		return nil
	}
	return c.table(keyValue(), objectRows(m))
}

func objectRows(m map[string]any) [][]string {
	rows := make([][]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		rows = append(rows, []string{k, cell(k, m[k])})
	}
	return rows
}

// cell prints a value; a number of seconds, by the name of its key, as a duration.
func cell(key string, v any) string {
	if n, ok := v.(json.Number); ok && isDuration(key) {
		if s, err := n.Int64(); err == nil {
			return span(time.Duration(s) * time.Second)
		}
	}
	return fmt.Sprint(v)
}

func isDuration(key string) bool {
	for _, word := range []string{"period", "ttl", "duration"} {
		if key == word || strings.HasSuffix(key, "_"+word) {
			return true
		}
	}
	return key == "lease_max" || key == "ttl_max"
}

// warnings writes the server's warnings to stderr.
func (c *call) warnings(s *vaultclient.Secret) {
	if s == nil || len(s.Warnings) == 0 {
		return
	}
	c.warn("WARNING! The server returned these warnings:")
	for _, w := range s.Warnings {
		_, _ = fmt.Fprintf(c.Err, "\n  * %s\n", strings.ReplaceAll(wrap(w), "\n", "\n    "))
	}
	_, _ = fmt.Fprintln(c.Err)
}

// secret writes an answer: the field that was asked for, or all of it.
func (c *call) secret(s *vaultclient.Secret) error {
	switch {
	case s == nil:
		return nil
	case c.field != "":
		return c.one(fieldOf(s, c.field))
	case c.format != asTable:
		return c.document(s)
	}
	c.warnings(s)
	rows := secretRows(s)
	if len(rows) == 0 {
		return nil
	}
	return c.table(keyValue(), rows)
}

func secretRows(s *vaultclient.Secret) [][]string {
	var rows [][]string
	add := func(key string, value any) { rows = append(rows, []string{key, fmt.Sprint(value)}) }
	inSeconds := func(n int) string { return span(time.Duration(n) * time.Second) }
	switch {
	case s.LeaseDuration > 0 && s.LeaseID != "":
		add("lease_id", s.LeaseID)
		add("lease_duration", inSeconds(s.LeaseDuration))
		add("lease_renewable", s.Renewable)
	case s.LeaseDuration > 0:
		add("refresh_interval", inSeconds(s.LeaseDuration))
	}
	if a := s.Auth; a != nil {
		lifetime := "∞"
		if a.LeaseDuration != 0 {
			lifetime = inSeconds(a.LeaseDuration)
		}
		add("token", a.ClientToken)
		add("token_accessor", a.Accessor)
		add("token_duration", lifetime)
		add("token_renewable", a.Renewable)
		add("token_policies", fmt.Sprintf("%q", a.TokenPolicies))
		add("identity_policies", fmt.Sprintf("%q", a.IdentityPolicies))
		add("policies", fmt.Sprintf("%q", a.Policies))
		for _, k := range slices.Sorted(maps.Keys(a.Metadata)) {
			add("token_meta_"+k, a.Metadata[k])
		}
	}
	if w := s.WrapInfo; w != nil {
		add("wrapping_token:", w.Token)
		add("wrapping_accessor:", w.Accessor)
		add("wrapping_token_ttl:", inSeconds(w.TTL))
		add("wrapping_token_creation_time:", w.CreationTime.String())
		add("wrapping_token_creation_path:", w.CreationPath)
		if w.WrappedAccessor != "" {
			add("wrapped_accessor:", w.WrappedAccessor)
		}
	}
	return append(rows, objectRows(s.Data)...)
}
