package placeholder

import (
	"net/url"
	"strings"
)

// part is a stretch of a value: one that is kept, or a credential.
type part struct {
	text   string
	secret bool
	// escaped says that the text is percent-encoded, as in a URL.
	escaped bool
}

// value is what the part means.
func (p part) value() []byte {
	if p.escaped {
		if plain, err := url.PathUnescape(p.text); err == nil {
			return []byte(plain)
		}
	}
	return []byte(p.text)
}

// split finds the credentials within a value. A value that is not made of parts is one credential.
func split(value []byte) []part {
	text := string(value)
	if scheme, rest, ok := strings.Cut(text, "://"); ok && isScheme(scheme) && !strings.ContainsAny(text, "\r\n") {
		return join(append([]part{{text: scheme + "://"}}, splitURL(rest)...))
	}
	for _, word := range []string{"Bearer ", "bearer ", "token ", "Token "} {
		if rest, ok := strings.CutPrefix(text, word); ok {
			return []part{{text: word}, {text: rest, secret: true}}
		}
	}
	if parts, ok := splitLogin(text); ok {
		return parts
	}
	if parts, ok := splitKeywords(text); ok {
		return parts
	}
	return []part{{text: text, secret: true}}
}

func isScheme(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, lower+upper+digits+"+.-") == "" && strings.Trim(s[:1], lower+upper) == ""
}

// splitURL takes what follows "scheme://": credentials are the password, or a user that is a token, and what looks random in
// path and query.
func splitURL(rest string) []part {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	var out []part
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, password, has := strings.Cut(authority[:at], ":")
		out = append(out, part{text: user, secret: !has || looksRandom(user), escaped: true})
		if has {
			out = append(out, part{text: ":"}, part{text: password, secret: true, escaped: true})
		}
		authority = authority[at:]
	}
	out = append(out, part{text: authority})
	path, query, hasQuery := strings.Cut(tail, "?")
	for i, segment := range strings.Split(path, "/") {
		if i > 0 {
			out = append(out, part{text: "/"})
		}
		out = append(out, part{text: segment, secret: looksRandom(segment), escaped: true})
	}
	if hasQuery {
		out = append(out, splitQuery(query)...)
	}
	return out
}

func splitQuery(query string) []part {
	var out []part
	for i, pair := range strings.Split(query, "&") {
		sign := "&"
		if i == 0 {
			sign = "?"
		}
		key, v, has := strings.Cut(pair, "=")
		out = append(out, part{text: sign + key})
		if has {
			out = append(out, part{text: "="}, part{text: v, secret: looksRandom(v) || isSecretName(key), escaped: true})
		}
	}
	return out
}

// splitLogin takes "user:password@tcp(host)/database", the form of MySQL's drivers.
func splitLogin(text string) ([]part, bool) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 || !strings.Contains(text[at:], "(") || strings.ContainsAny(text, " \r\n") {
		return nil, false
	}
	user, password, ok := strings.Cut(text[:at], ":")
	if !ok {
		return nil, false
	}
	return []part{{text: user + ":"}, {text: password, secret: true}, {text: text[at:]}}, true
}

// splitKeywords takes "host=… password=…" (libpq) and "Server=…;Password=…" (ADO).
func splitKeywords(text string) ([]part, bool) {
	separator := " "
	if strings.Contains(text, ";") {
		separator = ";"
	}
	fields := strings.Split(text, separator)
	if len(fields) < 2 || strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	var out []part
	found := false
	for i, field := range fields {
		if i > 0 {
			out = append(out, part{text: separator})
		}
		key, v, has := strings.Cut(field, "=")
		if !has && strings.TrimSpace(field) != "" {
			return nil, false
		}
		if !has || !isSecretName(key) {
			out = append(out, part{text: field})
			continue
		}
		found = true
		out = append(out, part{text: key + "="}, part{text: v, secret: true})
	}
	return join(out), found
}

// isSecretName reports whether a parameter of this name is a credential.
func isSecretName(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, word := range []string{"password", "passwd", "pwd", "secret", "token", "apikey", "api_key", "api-key", "accesskey", "accountkey", "sharedaccesskey", "sig", "signature"} {
		if name == word || strings.HasSuffix(name, "_"+word) || strings.HasSuffix(name, "-"+word) {
			return true
		}
	}
	return name == "key" || name == "auth"
}

// looksRandom reports whether a stretch of a URL is a token and not a name: long, of letters and digits mixed.
func looksRandom(s string) bool {
	if len(s) < 20 || strings.ContainsAny(s, " ") {
		return false
	}
	if _, ok := kindOf([]byte(s)); ok {
		return true
	}
	changes, was := 0, 0
	for _, r := range s {
		class := 0
		switch {
		case strings.ContainsRune(digits, r):
			class = 1
		case strings.ContainsRune(upper, r):
			class = 2
		case strings.ContainsRune(lower, r):
			class = 3
		}
		if class != was && was != 0 && class != 0 {
			changes++
		}
		was = class
	}
	return changes*5 >= len(s)
}

// join makes one of neighbours that are kept.
func join(parts []part) []part {
	var out []part
	for _, p := range parts {
		if n := len(out); n > 0 && !p.secret && !out[n-1].secret {
			out[n-1].text += p.text
			continue
		}
		out = append(out, p)
	}
	return out
}
