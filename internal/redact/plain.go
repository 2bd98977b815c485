package redact

import (
	"bytes"
)

const (
	// MinLength is the fewest bytes of a value that is masked unasked.
	MinLength = 6
	// MinForced is the fewest bytes of a value that is masked when that is forced.
	MinForced = blockSize
	// MinLine is the fewest bytes of a line of a longer value that is masked by itself.
	MinLine = 12
	// minDigits is the fewest digits of a value of digits alone: shorter ones are ports, years, counts and sizes.
	minDigits = 8
)

// everyday are values that stand in any output. Case does not matter.
var everyday = [...]string{
	"false", "enabled", "disabled", "default", "example", "changeme", "undefined", "verbose", "warning", "notice", "critical",
	"development", "staging", "production", "testing", "preview", "sandbox",
	"localhost", "localhost.localdomain", "127.0.0.1", "0.0.0.0", "host.docker.internal", "example.com",
	"postgres", "postgresql", "mongodb", "sqlite", "sqlite3", "mariadb", "rabbitmq", "memcached", "filesystem",
	"username", "password", "secret", "anonymous", "administrator", "public", "private",
	"utf-8", "en_us.utf-8", "c.utf-8", "us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1",
	"application/json", "text/plain", "xterm-256color",
}

// tooPlain reports whether masking a value would do more harm than good.
func tooPlain(v []byte) bool {
	if len(v) < MinLength || uniform(v) {
		return true
	}
	if len(v) < minDigits && !bytes.ContainsFunc(v, func(r rune) bool { return r < '0' || r > '9' }) {
		return true
	}
	return isEveryday(v)
}

// uniform reports whether all bytes are the same, as in a row of dashes or stars.
func uniform(v []byte) bool { return len(v) > 0 && bytes.Count(v, v[:1]) == len(v) }

// isEveryday reports whether a value, without a scheme before it or a port behind it, is one that stands in any output.
func isEveryday(v []byte) bool {
	const longest = len("https://localhost.localdomain:65535/")
	if len(v) > longest {
		return false
	}
	host := v
	for _, scheme := range [...]string{"http://", "https://"} {
		host = bytes.TrimPrefix(host, []byte(scheme))
	}
	host = bytes.TrimSuffix(host, []byte("/"))
	if name := bytes.TrimRight(host, "0123456789"); len(name) < len(host) && bytes.HasSuffix(name, []byte(":")) {
		host = name[:len(name)-1]
	}
	for _, word := range everyday {
		if bytes.EqualFold(host, []byte(word)) {
			return true
		}
	}
	return false
}
