package policy

import (
	"errors"
	"fmt"
	"strings"
)

// The two notations, HCL and JSON, are read into the same tree. A value's content is string, bool, int64, float64, nil,
// []value or []member.
type value struct {
	line    int
	content any
}

// A member is one attribute or block of an object, in the order of the text. Names may repeat.
type member struct {
	name  string
	line  int
	value value
}

// Bounds on what is parsed, so that a text cannot take the process down.
const (
	maxText  = 1 << 20 // bytes
	maxDepth = 32      // brackets within brackets
)

// kind names what a value is, for messages.
func (v value) kind() string {
	switch v.content.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	case nil:
		return "null"
	case []value:
		return "a list"
	}
	return "an object"
}

// objects returns the value as objects: itself, or the elements of a list of objects, as JSON writers like to put it.
func (v value) objects() ([]value, bool) {
	switch content := v.content.(type) {
	case []member:
		return []value{v}, true
	case []value:
		for _, element := range content {
			if _, ok := element.content.([]member); !ok {
				return nil, false
			}
		}
		return content, len(content) > 0
	}
	return nil, false
}

// mistakes collects what is wrong with a policy, up to a number that a person can work through.
type mistakes struct {
	policy string
	list   []error
}

const maxMistakes = 10

func (m *mistakes) add(line int, format string, args ...any) {
	if len(m.list) < maxMistakes {
		m.list = append(m.list, &Error{Policy: m.policy, Line: line, Text: fmt.Sprintf(format, args...)})
	}
}

// err returns all mistakes as one error, or nil.
func (m *mistakes) err() error { return errors.Join(m.list...) }

// looksLikeJSON reports whether a text is meant as JSON: HCL never begins with a brace.
func looksLikeJSON(text string) bool {
	return strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{")
}

// lineError is a syntax error of one of the notations.
type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return e.text }

func failAt(line int, format string, args ...any) error {
	return &lineError{line, fmt.Sprintf(format, args...)}
}
