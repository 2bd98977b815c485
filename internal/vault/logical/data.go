package logical

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// Data holds a decoded JSON object. Numbers are json.Number, so that none loses digits. Its methods convert as leniently as
// Vault does: "5" is a number, a number of seconds or "1h" is a duration, "a,b" is a list.
type Data struct {
	Raw    map[string]any
	fields []Field
}

// NewData wraps a decoded object.
func NewData(raw map[string]any) Data { return Data{Raw: raw} }

// check remembers the fields of the route and refuses what does not convert to their types.
func (d *Data) check(fields []Field) error {
	d.fields = fields
	for i := range fields {
		f := &fields[i]
		v, ok := d.Raw[f.Name]
		if !ok || v == nil {
			continue
		}
		if !convertible(f.Type, v) {
			return Invalid("error converting input for field %q: expected %s", f.Name, f.Type)
		}
	}
	return nil
}

func convertible(t Type, v any) bool {
	var ok bool
	switch t {
	case String, LowerCase:
		_, ok = toString(v)
	case Int:
		_, ok = toInt(v)
	case Bool:
		_, ok = toBool(v)
	case Map:
		_, ok = v.(map[string]any)
	case KVPairs:
		_, ok = toPairs(v)
	case Strings, CommaList:
		_, ok = toStrings(v, t == CommaList)
	case Seconds:
		_, ok = ParseDuration(v)
	default:
		ok = true
	}
	return ok
}

// Has reports whether a field was given, null counting as not.
func (d Data) Has(name string) bool { return d.Raw[name] != nil }

func (d Data) field(name string) *Field {
	for i := range d.fields {
		if d.fields[i].Name == name {
			return &d.fields[i]
		}
	}
	return nil
}

// value returns what was given, else the field's default.
func (d Data) value(name string) any {
	if v := d.Raw[name]; v != nil {
		return v
	}
	if f := d.field(name); f != nil {
		return f.Default
	}
	return nil
}

// String returns a field as text, "" if it is missing and has no default.
func (d Data) String(name string) string {
	s, _ := toString(d.value(name))
	if f := d.field(name); f != nil && f.Type == LowerCase {
		return strings.ToLower(s)
	}
	return s
}

// Int returns a field as a number.
func (d Data) Int(name string) int {
	n, _ := toInt(d.value(name))
	return n
}

// Bool returns a field as a truth value.
func (d Data) Bool(name string) bool {
	b, _ := toBool(d.value(name))
	return b
}

// Strings returns a field as a list; a string is split at commas if the field is a CommaList. Empty items are dropped and
// white space around the others as well.
func (d Data) Strings(name string) []string {
	f := d.field(name)
	list, _ := toStrings(d.value(name), f == nil || f.Type == CommaList)
	return list
}

// Duration returns a field as a span of time.
func (d Data) Duration(name string) time.Duration {
	v, _ := ParseDuration(d.value(name))
	return v
}

// Map returns a field as an object, nil if it is missing or none.
func (d Data) Map(name string) map[string]any {
	m, _ := d.value(name).(map[string]any)
	return m
}

// Pairs returns a field as text by name: an object of strings, or a list or comma-separated string of "name=text".
func (d Data) Pairs(name string) map[string]string {
	p, _ := toPairs(d.value(name))
	return p
}

// List returns a field that is a JSON array, nil otherwise.
func (d Data) List(name string) []any {
	l, _ := d.value(name).([]any)
	return l
}

func toString(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "1", true
		}
		return "0", true
	}
	return "", false
}

func toInt(v any) (int, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case int:
		return v, true
	case json.Number:
		return parseInt(v.String())
	case string:
		if v == "" {
			return 0, true
		}
		return parseInt(v)
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

func parseInt(s string) (int, bool) {
	n, err := strconv.ParseInt(s, 0, 0)
	if err == nil {
		return int(n), true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int(f), true
}

func toBool(v any) (value, ok bool) {
	switch v := v.(type) {
	case nil:
		return false, true
	case bool:
		return v, true
	case json.Number:
		n, ok := parseInt(v.String())
		return n != 0, ok
	case string:
		if v == "" {
			return false, true
		}
		b, err := strconv.ParseBool(v)
		return b, err == nil
	}
	return false, false
}

func toStrings(v any, split bool) ([]string, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case []string:
		return v, true
	case []any:
		out := make([]string, 0, len(v))
		for _, item := range v {
			s, ok := toString(item)
			if !ok {
				return nil, false
			}
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
		return out, true
	}
	s, ok := toString(v)
	if !ok {
		return nil, false
	}
	if !split {
		return []string{s}, true
	}
	out := []string{}
	for _, item := range strings.Split(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out, true
}

func toPairs(v any) (map[string]string, bool) {
	if m, ok := v.(map[string]any); ok {
		out := make(map[string]string, len(m))
		for k, item := range m {
			s, ok := toString(item)
			if !ok {
				return nil, false
			}
			out[k] = s
		}
		return out, true
	}
	if v == nil {
		return nil, true
	}
	list, ok := toStrings(v, true)
	if !ok {
		return nil, false
	}
	out := make(map[string]string, len(list))
	for _, item := range list {
		k, text, ok := strings.Cut(item, "=")
		if !ok {
			return nil, false
		}
		out[strings.TrimSpace(k)] = strings.TrimSpace(text)
	}
	return out, true
}

// ParseDuration reads a duration as Vault's API takes them: a number of seconds, or text such as "90", "1h30m" or "7d".
func ParseDuration(v any) (time.Duration, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case time.Duration:
		return v, true
	case int:
		return time.Duration(v) * time.Second, true
	case json.Number:
		return seconds(v.String())
	case string:
		return durationText(v)
	}
	return 0, false
}

func durationText(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, true
	}
	if d, ok := seconds(s); ok {
		return d, true
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseInt(days, 10, 32)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

func seconds(s string) (time.Duration, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > math.MaxInt64/int64(time.Second) || n < math.MinInt64/int64(time.Second) {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}

// ParseFloat reads a number, given as one or as text.
func ParseFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case string:
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil
	case int:
		return float64(v), true
	}
	return 0, false
}
