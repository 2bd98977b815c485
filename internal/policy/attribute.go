package policy

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// text reads an attribute that is a string.
func (p *parsing) text(m member) string {
	s, ok := m.value.content.(string)
	if !ok {
		p.add(m.line, "%s is %s: write a string", m.name, m.value.kind())
	}
	return s
}

// duration reads a time: a whole number of seconds, or a string such as "90", "15m", "1h30m" or "2d".
func (p *parsing) duration(m member) time.Duration {
	var d time.Duration
	ok := false
	switch content := m.value.content.(type) {
	case int64:
		d, ok = times(content, time.Second)
	case string:
		d, ok = parseDuration(content)
	}
	if !ok || d < 0 {
		p.add(m.line, "%s is not a duration: write seconds, or a number with a unit, as in \"90s\", \"15m\" or \"2d\"", m.name)
		return 0
	}
	return d
}

func parseDuration(s string) (time.Duration, bool) {
	if s == "" {
		return 0, true
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return times(n, time.Second)
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseInt(days, 10, 64)
		d, fits := times(n, 24*time.Hour)
		return d, fits && err == nil
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

// times multiplies, and reports whether the product fits.
func times(n int64, unit time.Duration) (time.Duration, bool) {
	if n < 0 || n > int64(math.MaxInt64/unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// moment reads a point in time: RFC 3339, or seconds since 1970.
func (p *parsing) moment(m member) time.Time {
	var t time.Time
	switch content := m.value.content.(type) {
	case int64:
		t = time.Unix(content, 0).UTC()
	case string:
		if content == "" {
			return time.Time{}
		}
		if n, err := strconv.ParseInt(content, 10, 64); err == nil {
			t = time.Unix(n, 0).UTC()
		} else if t, err = time.Parse(time.RFC3339Nano, content); err != nil {
			t = time.Time{}
		}
	}
	// RFC 3339 has years of four digits. The lower bound keeps the zero time, which never expires, out.
	if t = t.UTC(); t.Year() < 1970 || t.Year() > 9999 {
		p.add(m.line, "%s is not a time: write it as in \"2030-01-31T12:00:00Z\"", m.name)
		return time.Time{}
	}
	return t
}

// limit reads a count of keys.
func (p *parsing) limit(m member) int {
	n := int64(-1)
	switch content := m.value.content.(type) {
	case int64:
		n = content
	case string:
		if parsed, err := strconv.ParseInt(content, 10, 32); err == nil {
			n = parsed
		}
	}
	if n < 0 || n > math.MaxInt32 {
		p.add(m.line, "%s is not a count: write a whole number from 0 (no limit) to %d", m.name, math.MaxInt32)
		return 0
	}
	return int(n)
}

// names reads a list of names of parameters, in small letters, without repetitions.
func (p *parsing) names(m member) []string {
	list, ok := m.value.content.([]value)
	if !ok {
		p.add(m.line, "%s is %s: write a list of names, as in [\"ttl\"]", m.name, m.value.kind())
		return nil
	}
	var names []string
	for _, v := range list {
		name, ok := v.content.(string)
		if !ok {
			p.add(v.line, "%s holds %s: write names, as in [\"ttl\"]", m.name, v.kind())
			continue
		}
		if name = strings.ToLower(name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// parameters reads an object from names of parameters to lists of values. What is given but empty is not nil.
func (p *parsing) parameters(m member) map[string][]any {
	objects, ok := m.value.objects()
	if !ok {
		p.add(m.line, "%s is %s: write an object of lists, as in { ttl = [\"1h\"] }", m.name, m.value.kind())
		return nil
	}
	parameters := map[string][]any{}
	for _, object := range objects {
		for _, entry := range object.content.([]member) { //nolint:errcheck // objects returns nothing else
			name := strings.ToLower(entry.name)
			if _, again := parameters[name]; again {
				p.add(entry.line, "%s has %q twice: keep one, capitals do not count", m.name, entry.name)
			}
			parameters[name] = p.values(m.name, entry)
		}
	}
	return parameters
}

func (p *parsing) values(attribute string, m member) []any {
	list, ok := m.value.content.([]value)
	if !ok {
		p.add(m.line, "%s: %q is %s: write a list, as in [\"1h\", \"2*\"], or [] for any value", attribute, m.name, m.value.kind())
		return nil
	}
	values := make([]any, 0, len(list))
	for _, v := range list {
		plain, ok := plainValue(v)
		if !ok {
			p.add(v.line, "%s: %q holds an object or null: compare with strings, numbers, booleans or lists of them", attribute, m.name)
		}
		values = append(values, plain)
	}
	return values
}

// plainValue returns what a parameter is compared with.
func plainValue(v value) (any, bool) {
	switch content := v.content.(type) {
	case string, bool, int64, float64:
		return content, true
	case []value:
		list := make([]any, 0, len(content))
		for _, element := range content {
			plain, ok := plainValue(element)
			if !ok {
				return nil, false
			}
			list = append(list, plain)
		}
		return list, true
	}
	return nil, false
}
