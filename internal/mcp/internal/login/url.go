package login

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// parse takes the URL of a secret apart. It never quotes it, nor wraps an error that does.
func parse(name string, value secret.Value, schemes map[string]int) (*Login, error) {
	text := strings.TrimSpace(string(value.Reveal()))
	known := strings.Join(slices.Sorted(maps.Keys(schemes)), ", ")
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, tool.Invalid("the value of %s is no URL with a host (of scheme %s), or a character of its password is not "+
			"percent-encoded; nobody but the person can see it", name, known)
	}
	port, ok := schemes[u.Scheme]
	if !ok {
		return nil, tool.Invalid("the URL in %s has a scheme that this tool does not speak; it speaks %s", name, known)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, tool.Invalid("the part after the ? of the URL in %s cannot be read", name)
	}
	host := strings.ToLower(u.Hostname())
	if host == "" || strings.ContainsAny(host, ",/\\") || strings.Contains(u.Host, ",") {
		return nil, tool.Invalid("the URL in %s must name exactly one host", name)
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return nil, tool.Invalid("the port of the URL in %s is not a number from 1 to 65535", name)
		}
	}
	l := &Login{Secret: name, Scheme: u.Scheme, Host: host, Port: port, Path: u.Path, Query: query}
	if u.User != nil {
		password, _ := u.User.Password()
		l.User, l.Password = u.User.Username(), secret.Of(password)
	}
	return l, nil
}
