package ref

import (
	"errors"
	"strings"
)

// Limits of names, in bytes.
const (
	MaxKey  = 255
	MaxSlug = 63
)

var (
	errKey  = errors.New("a name has 1 to 255 letters (a-z, A-Z), digits, '_', '-' or '.'")
	errSlug = errors.New("a name has 1 to 63 lower-case letters, digits or '-', and no '-' at the ends")
)

// ValidKey says whether a secret may have this name: what .env files use, [A-Za-z0-9_.-]. Some of them cannot be a
// shell's variable; the writers of package dotenv refuse those.
func ValidKey(name string) error {
	if name == "" || len(name) > MaxKey {
		return errKey
	}
	for i := range len(name) {
		if c := name[i]; !alphanumeric(c) && c != '_' && c != '-' && c != '.' {
			return errKey
		}
	}
	return nil
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// ValidProject says whether a project may have this slug.
func ValidProject(slug string) error { return validSlug(slug) }

// ValidEnvironment says whether an environment may have this slug.
func ValidEnvironment(slug string) error { return validSlug(slug) }

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

// Slug makes a project's slug of any name, such as a directory's; "project" if nothing usable is in it.
func Slug(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'A' && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		case alphanumeric(c):
			b.WriteByte(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	slug := b.String()
	if len(slug) > MaxSlug {
		slug = slug[:MaxSlug]
	}
	if slug = strings.Trim(slug, "-"); slug == "" {
		return "project"
	}
	return slug
}

// CanonicalEnvironment spells out the short names of the standard environments.
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
