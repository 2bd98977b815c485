package policy

import (
	"encoding/json"
	"math"
	"math/bits"
	"reflect"
	"strconv"
	"strings"
)

func bit(c Capability) int { return bits.TrailingZeros16(uint16(c)) }

// checkParameters holds the parameters of a request to what is required, denied and allowed, in this order.
func (g *grant) checkParameters(data map[string]any) refusal {
	for _, name := range g.required {
		if _, ok := data[name]; !ok {
			return refusal{parameterMissing, name}
		}
	}
	if len(data) == 0 {
		return refusal{}
	}
	if len(g.denied) > 0 {
		if r := g.checkDenied(data); r.why != granted {
			return r
		}
	}
	if len(g.allowed) > 0 {
		return g.checkAllowed(data)
	}
	return refusal{}
}

func (g *grant) checkDenied(data map[string]any) refusal {
	if _, all := g.denied["*"]; all {
		return refusal{parameterDenied, "*"}
	}
	var r refusal
	for name, v := range data {
		if values, ok := g.denied[strings.ToLower(name)]; ok && listed(v, values) {
			r.first(parameterDenied, name)
		}
	}
	return r
}

func (g *grant) checkAllowed(data map[string]any) refusal {
	_, others := g.allowed["*"]
	if others && len(g.allowed) == 1 {
		return refusal{} // a parameter that is called "*" itself would be compared otherwise
	}
	var r refusal
	for name, v := range data {
		values, ok := g.allowed[strings.ToLower(name)]
		if !ok && !others || ok && !listed(v, values) {
			r.first(parameterNotAllowed, name)
		}
	}
	return r
}

// first keeps the first name in the alphabet, so that the same request is refused with the same words.
func (r *refusal) first(why why, name string) {
	if r.why == granted || name < r.parameter {
		*r = refusal{why, name}
	}
}

// limitName is the parameter of lists that says how many keys are wanted.
const limitName = "limit"

// checkLimit holds the wanted number of keys to the limit, if there is one. "max" asks for as many as allowed.
func (g *grant) checkLimit(data map[string]any) refusal {
	if g.limit == 0 {
		return refusal{}
	}
	wanted, ok := data[limitName]
	if !ok {
		for _, name := range g.required {
			if name == limitName {
				return refusal{why: limitMissing}
			}
		}
		return refusal{}
	}
	if wanted == "max" {
		return refusal{}
	}
	if n, ok := count(wanted); !ok || n > int64(g.limit) {
		return refusal{why: limitTooHigh}
	}
	return refusal{}
}

// count returns a whole number, from a query or a body.
func count(v any) (int64, bool) {
	switch v := v.(type) {
	case string:
		if v == "" {
			return 0, true
		}
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case int:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}

// listed reports whether a value is among those of a rule. An empty list stands for every value.
func listed(v any, values []any) bool {
	if len(values) == 0 {
		return true
	}
	for _, want := range values {
		if matchesValue(want, v) {
			return true
		}
	}
	return false
}

// matchesValue compares a value of a rule with one of a request: strings with "*" at either end of the rule's standing for
// anything, numbers by what they are worth, lists element by element and without wildcards.
func matchesValue(want, got any) bool {
	if w, ok := want.(string); ok {
		g, ok := got.(string)
		return ok && glob(w, g)
	}
	return equal(want, got)
}

func equal(want, got any) bool {
	switch w := want.(type) {
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !equal(w[i], g[i]) {
				return false
			}
		}
		return true
	case int64, float64:
		return equalNumber(w, got)
	}
	return reflect.DeepEqual(want, got)
}

// equalNumber compares without loss: whole numbers as such, others as float64.
func equalNumber(want, got any) bool {
	switch g := got.(type) {
	case json.Number:
		n, ok := number(g.String(), 10)
		return ok && n == want
	case float64:
		if g == math.Trunc(g) && math.Abs(g) < 1<<53 {
			return want == int64(g)
		}
		return want == g
	case int:
		return want == int64(g)
	}
	return want == got
}

// glob compares strings; a "*" at the beginning or the end of the pattern stands for anything, but alone for itself.
func glob(pattern, s string) bool {
	if len(pattern) < 2 {
		return pattern == s
	}
	rest, before := strings.CutPrefix(pattern, "*")
	middle, after := strings.CutSuffix(rest, "*")
	switch {
	case before && after:
		return strings.Contains(s, middle)
	case before:
		return strings.HasSuffix(s, rest)
	case after:
		return strings.HasPrefix(s, middle)
	}
	return s == pattern
}
