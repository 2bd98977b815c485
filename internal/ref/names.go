package ref

import (
	"errors"
	"fmt"
	"strings"
)

// Limits of names, in bytes.
const (
	MaxKey  = 255
	MaxSlug = 63
)

var (
	errKey      = errors.New("a name has 1 to 255 letters (a-z, A-Z), digits, '_', '-' or '.', and is not '.' or '..'")
	errVariable = errors.New("a shell's variable has letters, digits and '_' in its name, and no digit first")
	errSlug     = errors.New("a name has 1 to 63 lower-case letters, digits or '-', and no '-' at the ends")
)

// ValidKey says whether a secret may have this name: what .env files use, [A-Za-z0-9_.-]. Every such name can stand in the
// environment of a process; for a shell's variable see [ValidVariable].
func ValidKey(name string) error {
	if name == "" || len(name) > MaxKey || name == "." || name == ".." {
		return errKey
	}
	for i := range len(name) {
		if c := name[i]; !alphanumeric(c) && c != '_' && c != '-' && c != '.' {
			return errKey
		}
	}
	return nil
}

// ValidVariable says whether a shell and every other reader of environments can name it: [A-Za-z_][A-Za-z0-9_]*.
func ValidVariable(name string) error {
	if name == "" || len(name) > MaxKey || name[0] >= '0' && name[0] <= '9' {
		return errVariable
	}
	for i := range len(name) {
		if c := name[i]; !alphanumeric(c) && c != '_' {
			return errVariable
		}
	}
	return nil
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// ValidProject says whether a project may have this slug: [a-z0-9-], up to 63, no '-' at the ends.
func ValidProject(slug string) error { return validSlug(slug) }

// ValidEnvironment says whether an environment may have this slug: as a project's, but none of the short names that
// [CanonicalEnvironment] spells out, since no reference could reach it.
func ValidEnvironment(slug string) error {
	if long := CanonicalEnvironment(slug); long != slug {
		return fmt.Errorf("%q is short for %q", slug, long)
	}
	return validSlug(slug)
}

func validSlug(slug string) error {
	if slug == "" || len(slug) > MaxSlug || slug[0] == '-' || slug[len(slug)-1] == '-' {
		return errSlug
	}
	for i := range len(slug) {
		if c := slug[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return errSlug
		}
	}
	return nil
}

// Slug makes a project's slug of any name, such as a directory's: what is no letter or digit of ASCII becomes a '-'. It is
// "project" if nothing usable is in the name.
func Slug(name string) string {
	var b strings.Builder
	dash := false
	for i := range len(name) {
		c := name[i]
		if !alphanumeric(c) {
			dash = b.Len() > 0
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	slug := b.String()
	if len(slug) > MaxSlug {
		slug = strings.TrimRight(slug[:MaxSlug], "-")
	}
	if slug == "" {
		return "project"
	}
	return slug
}

// CanonicalEnvironment spells out the short names of the standard environments; any other name it returns as it is.
func CanonicalEnvironment(name string) string {
	switch name {
	case "dev":
		return "development"
	case "stage":
		return "staging"
	case "prod":
		return "production"
	}
	return name
}
