package grant

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrOnlyOnce is returned for the answers "conversation" and "always" to a use that no rule can stand for.
var ErrOnlyOnce = errors.New("this use can only be approved once")

// Like is the rule that an answer for more than once makes: it permits a secret of the use again in the same environment, by the
// same tool, to the same host and port, with the same method, path and place, and the same command to its last argument.
// What may differ is the body, the query, and which other secrets go along.
func (u Use) Like(secret string) (Rule, error) {
	r := Rule{Exact: true, Tools: only(u.Tool), Envs: only(u.Env), Methods: only(strings.ToUpper(u.Method))}
	if u.Host != "" {
		h, err := parseHost(u.Host)
		if err != nil {
			return Rule{}, fmt.Errorf("%w: the host %s", ErrOnlyOnce, Visible(u.Host))
		}
		r.Hosts = only(pattern(h, u.port()))
	}
	if u.Path != "" {
		segments, err := cleanPath(u.Path)
		if err != nil {
			return Rule{}, fmt.Errorf("%w: the path %s %w", ErrOnlyOnce, Visible(u.Path), err)
		}
		r.Paths = only(literalGlob(segments))
	}
	if where := u.In[secret]; where != "" {
		for place := range strings.SplitSeq(where, ",") {
			r.In = append(r.In, cleanPlace(place))
		}
	}
	if len(u.Command) > 0 {
		r.Commands = only(joinWords(u.Command))
	}
	if at, reason := newMatcher(u).match(secret, r); at != matched {
		return Rule{}, fmt.Errorf("%w: %s", ErrOnlyOnce, reason)
	}
	return r, nil
}

// only is a list of one, or none if that is empty.
func only(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func pattern(h host, port int) string {
	text := h.String()
	if port == 0 {
		return text
	}
	if h.addr.Is6() {
		text = "[" + text + "]"
	}
	return text + ":" + strconv.Itoa(port)
}
