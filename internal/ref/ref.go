// Package ref is the address of a secret: zvault://project/KEY.
//
//	zvault://KEY                      the project of the current directory, or of the value that holds the reference
//	zvault://project/KEY              another project
//	zvault://project/KEY?env=staging  a certain environment; otherwise the one in force
//	zvault://project/KEY?version=3    a certain version; otherwise the current one
//	zvault:///mount/path#field        an engine of the server (the project is empty)
//
// The grammar, in which spaces only separate:
//
//	reference = "zvault://" ( [ project "/" ] key | "/" mount "/" path ) [ "?" query ] [ "#" field ]
//	project   = 1 to 63 of a-z 0-9 -, no - at the ends
//	key       = 1 to 255 of A-Z a-z 0-9 _ - . , but not "." or ".."
//	query     = parameter [ "&" parameter ]
//	parameter = "env=" environment | "version=" number from 1, no leading zeros      each at most once
//	mount     = segment                  field = segment
//	path      = segment *( "/" segment )
//	segment   = 1 or more of A-Z a-z 0-9 - . _ ~ ! $ & ( ) * + , ; = : @ , but not "." or ".."
//
// Only an engine has a field, and it has no env. There is no percent-encoding: nothing has two spellings, except that
// env=dev, stage and prod are read as development, staging and production. More segments before a key are kept for folders.
// What Parse accepts, String prints, and what String prints parses to the same Ref.
//
// A value may be a reference as a whole, or hold any number of them as ${zvault://…}; see [ParseTemplate].
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

	Mount, Path, Field string // Mount is the first segment of an engine's address; Field may be empty
}

// ErrSyntax is wrapped by every error of Parse and ParseTemplate.
var ErrSyntax = errors.New("malformed reference")

// IsEngine reports whether the reference addresses an engine of the server.
func (r Ref) IsEngine() bool { return r.Mount != "" }

// MayRefer reports whether a value needs ParseTemplate at all: a quick look for the scheme. Any other value is a literal.
func MayRefer(value []byte) bool { return bytes.Contains(value, []byte(Scheme)) }

// String prints the reference as Parse reads it.
func (r Ref) String() string {
	var b strings.Builder
	b.WriteString(Scheme)
	switch {
	case r.IsEngine():
		b.WriteString("/" + r.Mount + "/" + r.Path)
	case r.Project != "":
		b.WriteString(r.Project + "/" + r.Key)
	default:
		b.WriteString(r.Key)
	}
	separator := "?"
	if r.Env != "" {
		b.WriteString("?env=" + r.Env)
		separator = "&"
	}
	if r.Version != 0 {
		b.WriteString(separator + "version=" + strconv.Itoa(r.Version))
	}
	if r.Field != "" {
		b.WriteString("#" + r.Field)
	}
	return b.String()
}

// Parse reads a reference. Errors say what is wrong with which part of it, and quote no more than could be a reference.
func Parse(s string) (Ref, error) {
	rest, ok := strings.CutPrefix(s, Scheme)
	if !ok {
		return Ref{}, syntax(s, "does not start with %s", Scheme)
	}
	if strings.Contains(rest, "%") {
		return Ref{}, syntax(s, "has a '%%', and there is no percent-encoding in references")
	}
	rest, field, hasField := strings.Cut(rest, "#")
	address, query, hasQuery := strings.Cut(rest, "?")
	var r Ref
	var err error
	if strings.HasPrefix(address, "/") {
		r, err = parseEngine(s, address[1:], field, hasField)
	} else {
		r, err = parseSecret(s, address, hasField)
	}
	if err == nil && hasQuery {
		err = r.parseQuery(s, query)
	}
	if err != nil {
		return Ref{}, err
	}
	return r, nil
}

func parseSecret(s, address string, hasField bool) (Ref, error) {
	if hasField {
		return Ref{}, syntax(s, "has a #field, which only an engine has: %s/mount/path#field", Scheme)
	}
	r := Ref{Key: address}
	if project, key, ok := strings.Cut(address, "/"); ok {
		if err := ValidProject(project); err != nil {
			return Ref{}, syntax(s, "project: %v", err)
		}
		r.Project, r.Key = project, key
	}
	if strings.Contains(r.Key, "/") {
		return Ref{}, syntax(s, "has more than project and name; there are no folders")
	}
	if err := ValidKey(r.Key); err != nil {
		return Ref{}, syntax(s, "name: %v", err)
	}
	return r, nil
}

func parseEngine(s, address, field string, hasField bool) (Ref, error) {
	mount, path, ok := strings.Cut(address, "/")
	if !ok || hasField && field == "" {
		return Ref{}, syntax(s, "is incomplete: an engine's address is %s/mount/path#field", Scheme)
	}
	for segment := range strings.SplitSeq(address, "/") {
		if err := validSegment(segment); err != nil {
			return Ref{}, syntax(s, "mount/path: %v", err)
		}
	}
	if hasField {
		if err := validSegment(field); err != nil {
			return Ref{}, syntax(s, "field: %v", err)
		}
	}
	return Ref{Mount: mount, Path: path, Field: field}, nil
}

func validSegment(s string) error {
	if s == "" || s == "." || s == ".." {
		return errors.New("a part is empty, or '.', or '..'")
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && strings.IndexByte("-._~!$&()*+,;=:@", c) < 0 {
			return errors.New("holds a character that an address cannot have")
		}
	}
	return nil
}

func (r *Ref) parseQuery(s, query string) error {
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case name == "env" && r.IsEngine():
			return syntax(s, "has an env, which an engine does not have")
		case name == "env" && r.Env != "", name == "version" && r.Version != 0:
			return syntax(s, "has %s twice", name)
		case name == "env":
			r.Env = CanonicalEnvironment(value)
			if err := ValidEnvironment(r.Env); err != nil {
				return syntax(s, "env: %v", err)
			}
		case name == "version":
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil || n < 1 || strconv.FormatInt(n, 10) != value {
				return syntax(s, "version: must be a number from 1")
			}
			r.Version = int(n)
		default:
			return syntax(s, "has an unknown parameter; there are env and version")
		}
	}
	return nil
}

// syntax makes an error about a reference.
func syntax(s, format string, args ...any) error {
	return fmt.Errorf("%w: %q %s", ErrSyntax, shown(s), fmt.Sprintf(format, args...))
}

// shown is what an error may quote of something that was meant to be a reference. It ends where a project, name or query
// does: what follows may be the rest of a secret value.
func shown(s string) string {
	start := 0
	if strings.HasPrefix(s, Scheme) {
		start = len(Scheme)
	}
	for i := start; i < len(s); i++ {
		if c := s[i]; i == 120 || !alphanumeric(c) && strings.IndexByte("_-./?&=#", c) < 0 {
			return s[:i] + "…"
		}
	}
	return s
}
