package grant

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrNothing is returned for a rule that would permit nothing, or far more than anybody means.
var ErrNothing = errors.New("the rule does not say enough")

// MaxEntries limits each field of a rule.
const MaxEntries = 50

// Fields are a rule as a person types it.
type Fields struct {
	Tools, Envs, Hosts, Methods, Paths, In, Commands []string

	Max     int
	Approve bool
	For     time.Duration // from now; 0 is without end
}

// ParseRule checks what a person typed and returns it in the form that rules have. Errors are one line, and name the nearest
// word where one was mistyped. ErrNothing for a rule that names neither a tool, nor a host, nor a command.
func ParseRule(f Fields, now time.Time) (Rule, error) {
	r := Rule{Max: f.Max, Approve: f.Approve}
	for _, field := range []struct {
		name  string
		from  []string
		to    *[]string
		parse func(string) (string, error)
	}{
		{"tools", f.Tools, &r.Tools, parseTool},
		{"environments", f.Envs, &r.Envs, parseEnv},
		{"hosts", f.Hosts, &r.Hosts, parseHostEntry},
		{"methods", f.Methods, &r.Methods, parseMethod},
		{"paths", f.Paths, &r.Paths, parsePathEntry},
		{"places", f.In, &r.In, parsePlace},
		{"commands", f.Commands, &r.Commands, parseCommand},
	} {
		if len(field.from) > MaxEntries {
			return Rule{}, fmt.Errorf("%d %s are more than the %d that a rule may have", len(field.from), field.name, MaxEntries)
		}
		for _, text := range field.from {
			v, err := field.parse(text)
			if err != nil {
				return Rule{}, err
			}
			*field.to = append(*field.to, v)
		}
		slices.Sort(*field.to)
		*field.to = slices.Compact(*field.to)
	}
	return r, r.limit(f, now)
}

// limit checks what concerns the rule as a whole.
func (r *Rule) limit(f Fields, now time.Time) error {
	switch {
	case len(r.Tools)+len(r.Hosts)+len(r.Commands) == 0:
		return fmt.Errorf("%w: name a host, a tool or a command", ErrNothing)
	case f.Max < 0:
		return fmt.Errorf("%d uses are not a number from 1 up", f.Max)
	case f.For < 0:
		return fmt.Errorf("%s is not a time to come", f.For)
	case f.For > 0:
		r.Expires = now.Add(f.For).UTC()
	}
	return nil
}

func parseEnv(text string) (string, error) {
	if text == "" || strings.ContainsAny(text, "/ \t\r\n\x00") {
		return "", fmt.Errorf("%q is no environment", text)
	}
	return text, nil
}

// parseHostEntry checks a pattern and returns it in one form.
func parseHostEntry(text string) (string, error) {
	p, err := parseHostPattern(strings.TrimSpace(text))
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// String is the pattern in the form that parseHostPattern reads.
func (p hostPattern) String() string {
	switch {
	case p.network.IsValid() && p.port != 0 && p.network.Addr().Is6():
		return fmt.Sprintf("[%s]:%d", p.network, p.port)
	case p.network.IsValid() && p.port != 0:
		return fmt.Sprintf("%s:%d", p.network, p.port)
	case p.network.IsValid():
		return p.network.String()
	case p.below:
		return "*." + pattern(p.host, p.port)
	}
	return pattern(p.host, p.port)
}

func parseMethod(text string) (string, error) {
	m := strings.ToUpper(strings.TrimSpace(text))
	if !token(m) {
		return "", fmt.Errorf("%q is no method such as GET", text)
	}
	return m, nil
}

func parsePathEntry(text string) (string, error) {
	_, err := parseGlob(text)
	return text, err
}

func parseCommand(text string) (string, error) {
	words, err := splitWords(text)
	if err != nil {
		return "", fmt.Errorf("the command %q %w", text, err)
	}
	if len(words) == 0 || words[0] == "" {
		return "", fmt.Errorf("%q is no command", text)
	}
	return joinWords(words), nil
}
