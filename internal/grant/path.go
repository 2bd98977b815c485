package grant

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPath limits, in bytes, what is matched; no server takes more either.
const maxPath = 8 << 10

var errPath = errors.New("can be read in two ways")

// cleanPath splits a path as it goes out into its decoded segments. What one server reads in another way than the next, or
// than a proxy before it, is refused rather than guessed at: escaped or doubled slashes, backslashes, dot segments, parameters
// (;), a ? or # or % that only decoding brings out, control characters, and bytes that are no UTF-8.
func cleanPath(path string) ([]string, error) {
	if path == "" {
		return []string{""}, nil
	}
	if path[0] != '/' || len(path) > maxPath || strings.ContainsAny(path, "?#\\;") {
		return nil, errPath
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		decoded, err := cleanSegment(s)
		if err != nil || decoded == "" && i < len(segments)-1 {
			return nil, errPath
		}
		segments[i] = decoded
	}
	return segments, nil
}

func cleanSegment(s string) (string, error) {
	decoded, err := url.PathUnescape(s)
	if err != nil || decoded == "." || decoded == ".." || !utf8.ValidString(decoded) || strings.ContainsAny(decoded, "/\\;?#%") ||
		strings.ContainsFunc(decoded, unicode.IsControl) {
		return "", errPath
	}
	return decoded, nil
}

// glob is one entry of Rule.Paths: a list of segments, each the literal parts between its stars.
type glob [][]string

// deep is the segment **.
var deep = []string{"", "", ""}

// parseGlob reads a path in which * stands for any text within a segment and ** for any number of segments. A star itself
// is written %2A.
func parseGlob(text string) (glob, error) {
	if text == "" || text[0] != '/' || len(text) > maxPath || strings.ContainsAny(text, "?#\\;") {
		return nil, fmt.Errorf("%q is no path such as /v1/charges/*: it begins with / and has no query", text)
	}
	segments := strings.Split(text[1:], "/")
	g := make(glob, len(segments))
	for i, s := range segments {
		if strings.Contains(s, "**") && s != "**" || s == "" && i < len(segments)-1 {
			return nil, fmt.Errorf("%q is no path: ** stands alone between slashes, which are not doubled", text)
		}
		if _, err := cleanSegment(s); err != nil {
			return nil, fmt.Errorf("%q is no path: it may not hold . or .. segments, nor escaped slashes and other signs", text)
		}
		g[i] = strings.Split(s, "*")
		for j, part := range g[i] {
			decoded, err := url.PathUnescape(part)
			if err != nil {
				return nil, fmt.Errorf("%q is no path: %% is followed by two hexadecimal digits", text)
			}
			g[i][j] = decoded
		}
	}
	return g, nil
}

// match reports whether the glob stands for a path of decoded segments. It takes time in proportion to the product of both
// lengths, whatever the glob.
func (g glob) match(path []string) bool {
	// reach[i]: the glob so far stands for path[:i].
	reach := make([]bool, len(path)+1)
	reach[0] = true
	for _, segment := range g {
		if slices.Equal(segment, deep) {
			for i := range path {
				reach[i+1] = reach[i+1] || reach[i]
			}
			continue
		}
		for i := len(path); i > 0; i-- {
			reach[i] = reach[i-1] && matchSegment(segment, path[i-1])
		}
		reach[0] = false
	}
	return reach[len(path)]
}

// matchSegment reports whether literal parts with anything between them make up a segment. The first place for each part is
// as good as any later one.
func matchSegment(parts []string, s string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	// A star stands for one segment, and so for some text where it is all of it.
	return strings.HasSuffix(s, parts[len(parts)-1]) && (s != "" || len(parts) != 2 || parts[0] != "" || parts[1] != "")
}

// literalGlob is the glob that stands for one path of decoded segments only.
func literalGlob(segments []string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(url.PathEscape(s), "*", "%2A"))
	}
	return b.String()
}
