package grant

import (
	"fmt"
	"strings"
)

// cleanPlace brings a place to the form that it is compared in: names of headers have no case, all else has.
func cleanPlace(text string) string {
	text = strings.TrimSpace(text)
	kind, name, named := strings.Cut(text, ":")
	kind = strings.ToLower(kind)
	switch {
	case !named:
		return kind
	case kind == "header":
		name = strings.ToLower(name)
	}
	return kind + ":" + name
}

// parsePlace checks an entry of Rule.In and returns it as it is compared.
func parsePlace(text string) (string, error) {
	place := cleanPlace(text)
	kind, name, named := strings.Cut(place, ":")
	switch {
	case !named && (kind == "body" || kind == "path" || kind == "login" || kind == "env" || kind == "stdin"):
		return place, nil
	case kind == "header" && token(name), kind == "query" && name != "" && !strings.ContainsAny(name, ", \t\r\n"), kind == "env" && token(name):
		return place, nil
	}
	return "", fmt.Errorf("%q is no place; say header:NAME, query:KEY, body, path, login, env:NAME or stdin", text)
}

// token reports whether text is a token of HTTP (RFC 9110, 5.6.2): the name of a header or a method.
func token(text string) bool {
	if text == "" {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return true
}
