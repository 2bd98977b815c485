// Package ref is the address of a secret: zvault://project/KEY.
//
//	zvault://KEY                      the project of the current directory, or of the value that holds the reference
//	zvault://project/KEY              another project
//	zvault://project/KEY?env=staging  a certain environment; otherwise the one in force
//	zvault://project/KEY?version=3    a certain version; otherwise the current one
//	zvault:///mount/path#field        an engine of the server (the project is empty)
//
// A value may be a reference as a whole, or hold any number of them as ${zvault://…}; see [ParseTemplate].
//
// The grammar is strict: no percent-encoding, no unknown or repeated query parameters, no spaces. What Parse accepts,
// String prints, and what String prints parses to the same Ref.
package ref

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Scheme starts every reference.
const Scheme = "zvault://"

// Ref is a parsed reference: to a secret if Key is set, to an engine if Mount is.
type Ref struct {
	Project string // empty: the one in force
	Key     string
	Env     string // empty: the one in force
	Version int    // 0: the current one

	Mount, Path, Field string
}

// ErrSyntax is wrapped by every error of Parse and ParseTemplate.
var ErrSyntax = errors.New("malformed reference")

// shown is what an error may quote of something that was meant to be a reference: no more than one could be.
func shown(s string) string {
	if i := strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f }); i >= 0 {
		s = s[:i] + "…"
	}
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return s
}

func syntax(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSyntax, fmt.Sprintf(format, args...))
}

// IsEngine reports whether the reference addresses an engine of the server.
func (r Ref) IsEngine() bool { return r.Mount != "" }

// Parse reads a reference. A reference holds no secret, so errors may quote it.
func Parse(s string) (Ref, error) {
	rest, ok := strings.CutPrefix(s, Scheme)
	if !ok {
		return Ref{}, syntax("%q does not start with %s", shown(s), Scheme)
	}
	if strings.HasPrefix(rest, "/") {
		return parseEngine(s, rest[1:])
	}
	if strings.Contains(rest, "#") {
		return Ref{}, syntax("%q: a #field goes with an engine, %s/mount/path#field", shown(s), Scheme)
	}
	path, query, hasQuery := strings.Cut(rest, "?")
	r := Ref{Key: path}
	if project, key, ok := strings.Cut(path, "/"); ok {
		if err := ValidProject(project); err != nil {
			return Ref{}, syntax("%q: project: %v", shown(s), err)
		}
		r.Project, r.Key = project, key
	}
	if err := ValidKey(r.Key); err != nil {
		return Ref{}, syntax("%q: name: %v", shown(s), err)
	}
	if !hasQuery {
		return r, nil
	}
	return r, r.parseQuery(s, query)
}

func (r *Ref) parseQuery(s, query string) error {
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if seen[name] {
			return syntax("%q: %s stands twice", shown(s), shown(name))
		}
		seen[name] = true
		switch name {
		case "env":
			r.Env = CanonicalEnvironment(value)
			if err := ValidEnvironment(r.Env); err != nil {
				return syntax("%q: env: %v", shown(s), err)
			}
		case "version":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || strconv.Itoa(n) != value {
				return syntax("%q: version must be a number from 1", shown(s))
			}
			r.Version = n
		default:
			return syntax("%q: unknown parameter %q; there are env and version", shown(s), shown(name))
		}
	}
	return nil
}

func parseEngine(s, rest string) (Ref, error) {
	path, field, hasField := strings.Cut(rest, "#")
	mount, path, ok := strings.Cut(path, "/")
	if !ok || mount == "" || path == "" || (hasField && field == "") {
		return Ref{}, syntax("%q: write %s/mount/path#field", shown(s), Scheme)
	}
	for _, part := range []string{mount, path, field} {
		if i := strings.IndexFunc(part, func(c rune) bool { return c <= ' ' || c == 0x7f || strings.ContainsRune(`?#{}"'\%`, c) }); i >= 0 {
			return Ref{}, syntax("%q holds a character that an address cannot have", shown(s))
		}
	}
	return Ref{Mount: mount, Path: path, Field: field}, nil
}

// String prints the reference as Parse reads it.
func (r Ref) String() string {
	var b strings.Builder
	b.WriteString(Scheme)
	if r.IsEngine() {
		b.WriteString("/" + r.Mount + "/" + r.Path)
		if r.Field != "" {
			b.WriteString("#" + r.Field)
		}
		return b.String()
	}
	if r.Project != "" {
		b.WriteString(r.Project + "/")
	}
	b.WriteString(r.Key)
	separator := "?"
	if r.Env != "" {
		b.WriteString("?env=" + r.Env)
		separator = "&"
	}
	if r.Version != 0 {
		b.WriteString(separator + "version=" + strconv.Itoa(r.Version))
	}
	return b.String()
}

// MayRefer reports whether a value needs ParseTemplate at all: a quick look for the scheme.
func MayRefer(value []byte) bool { return bytes.Contains(value, []byte(Scheme)) }
