package patch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// Member is a member of an object in a JSON file with comments. An object that has all that Value has, and more, counts as it.
type Member struct {
	// Path leads from the top of the file to the object; what is missing on the way is made.
	Path []string
	Key  string
	// Value is JSON.
	Value string
	// Any takes whatever is there already.
	Any bool
}

// Element is an element of an array in a JSON file with comments.
type Element struct {
	Path []string
	// Value is JSON.
	Value string
}

var (
	_ Edit = Member{}
	_ Edit = Element{}
)

// bom is what some editors write before UTF-8.
const bom = "\ufeff"

// document is a parsed JSON file.
type document struct {
	text    []byte // without its byte order mark
	shift   int    // how long that is
	root    hujson.Value
	newline string
	unit    string // of indentation
}

// parseJSON reads a file. One that is empty has an empty object.
func parseJSON(text []byte) (*document, error) {
	d := &document{text: bytes.TrimPrefix(text, []byte(bom)), newline: newlineOf(text), unit: "  "}
	d.shift = len(text) - len(d.text)
	if d.blank() {
		return d, nil
	}
	root, err := hujson.Parse(d.text)
	if err != nil {
		e := &SyntaxError{Format: "JSON", Line: 1, Column: 1}
		// The library's own text may quote the file.
		if _, scanning := fmt.Sscanf(err.Error(), "hujson: line %d, column %d:", &e.Line, &e.Column); scanning != nil {
			e.Line, e.Column = position(d.text, len(d.text))
		}
		return nil, e
	}
	d.root = root
	d.unit = d.findUnit()
	return d, nil
}

func (d *document) blank() bool { return len(bytes.TrimSpace(d.text)) == 0 }

// findUnit looks how the first member of the file is indented.
func (d *document) findUnit() string {
	obj, ok := d.root.Value.(*hujson.Object)
	if !ok || len(obj.Members) == 0 {
		return "  "
	}
	extra := obj.Members[0].Name.BeforeExtra
	at := bytes.LastIndexByte(extra, '\n')
	if indent := string(extra[at+1:]); at >= 0 && indent != "" && strings.Trim(indent, " \t") == "" {
		return indent
	}
	return "  "
}

// errorAt is placeError for a place of the document.
func (d *document) errorAt(offset int, format string, args ...any) error {
	return placeError(d.text, offset, format, args...)
}

// member returns the value of a name, the last one if it stands there twice, as readers take it.
func member(obj *hujson.Object, name string) (index int, value *hujson.Value) {
	for i := range slices.Backward(obj.Members) {
		if lit, ok := obj.Members[i].Name.Value.(hujson.Literal); ok && lit.String() == name {
			return i, &obj.Members[i].Value
		}
	}
	return -1, nil
}

// walk follows a path of objects as far as it goes, and returns the last value and what of the path is left.
func (d *document) walk(path []string) (*hujson.Value, []string, error) {
	at := &d.root
	for i, name := range path {
		obj, ok := at.Value.(*hujson.Object)
		if !ok {
			return nil, nil, d.errorAt(at.StartOffset, "%s is not an object: %w", title(path[:i]), ErrTaken)
		}
		_, next := member(obj, name)
		if next == nil {
			return at, path[i:], nil
		}
		at = next
	}
	return at, nil, nil
}

func title(path []string) string {
	if len(path) == 0 {
		return "the file"
	}
	return strings.Join(path, ".")
}

// Name implements Edit.
func (m Member) Name() string { return strings.Join(append(slices.Clone(m.Path), m.Key), ".") }

// find looks for the member.
func (m Member) find(d *document) (value *hujson.Value, err error) {
	if d.blank() {
		return nil, nil
	}
	at, left, err := d.walk(m.Path)
	if err != nil || len(left) > 0 {
		return nil, err
	}
	obj, ok := at.Value.(*hujson.Object)
	if !ok {
		return nil, d.errorAt(at.StartOffset, "%s is not an object: %w", title(m.Path), ErrTaken)
	}
	_, value = member(obj, m.Key)
	return value, nil
}

// Has implements Edit.
func (m Member) Has(text []byte) (bool, error) {
	d, err := parseJSON(text)
	if err != nil {
		return false, err
	}
	v, err := m.find(d)
	if v == nil || err != nil {
		return false, err
	}
	if !m.Any && !includes(decode(v.Pack()), decode([]byte(m.Value))) {
		return false, d.errorAt(v.StartOffset, "%s: %w", m.Name(), ErrTaken)
	}
	return true, nil
}

// Add implements Edit.
func (m Member) Add(text []byte) ([]Splice, []string, error) {
	has, err := m.Has(text)
	if err != nil || has {
		return nil, nil, err
	}
	return add(text, m.Path, m.Key, m.Value)
}

// Remove implements Edit.
func (m Member) Remove(text []byte, empty func(string) bool) ([]Splice, error) {
	d, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	v, err := m.find(d)
	if v == nil || err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(decode(v.Pack()), decode([]byte(m.Value))) {
		if m.Any {
			return nil, nil // it may have been there before
		}
		return nil, d.errorAt(v.StartOffset, "%s: %w", m.Name(), ErrChanged)
	}
	if m.Any {
		// What the rest of the file needs stays as long as there is a rest.
		if at, _, err := d.walk(m.Path); err != nil || len(itemsOf(at).values) > 1 {
			return nil, err
		}
	}
	return d.prune(m.Path, func(parent *hujson.Value) []Splice {
		i, _ := member(parent.Value.(*hujson.Object), m.Key) //nolint:errcheck // find has seen that it is one
		return d.cut(itemsOf(parent), i)
	}, empty)
}

// Name implements Edit.
func (e Element) Name() string { return strings.Join(e.Path, ".") + " " + digest(e.Value) }

// digest shows the first text of a value that says what it is.
func digest(value string) string {
	if s, ok := decode([]byte(value)).(string); ok {
		return s
	}
	return "zvault"
}

// find lists the places of the element in its array.
func (e Element) find(d *document) (array *hujson.Value, at []int, err error) {
	if d.blank() {
		return nil, nil, nil
	}
	v, left, err := d.walk(e.Path)
	if err != nil || len(left) > 0 {
		return nil, nil, err
	}
	arr, ok := v.Value.(*hujson.Array)
	if !ok {
		return nil, nil, d.errorAt(v.StartOffset, "%s is not a list: %w", title(e.Path), ErrTaken)
	}
	want := decode([]byte(e.Value))
	for i := range arr.Elements {
		if reflect.DeepEqual(decode(arr.Elements[i].Pack()), want) {
			at = append(at, i)
		}
	}
	return v, at, nil
}

// Has implements Edit.
func (e Element) Has(text []byte) (bool, error) {
	d, err := parseJSON(text)
	if err != nil {
		return false, err
	}
	_, at, err := e.find(d)
	return len(at) > 0, err
}

// Add implements Edit.
func (e Element) Add(text []byte) ([]Splice, []string, error) {
	has, err := e.Has(text)
	if err != nil || has {
		return nil, nil, err
	}
	return add(text, e.Path, "", e.Value)
}

// Remove implements Edit.
func (e Element) Remove(text []byte, empty func(string) bool) ([]Splice, error) {
	d, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	array, at, err := e.find(d)
	if len(at) == 0 || err != nil {
		return nil, err
	}
	return d.prune(e.Path, func(*hujson.Value) []Splice { return d.cut(itemsOf(array), at[0]) }, empty)
}

// decode reads JSON with comments for comparison; nil for what is none.
func decode(raw []byte) any {
	plain, err := hujson.Minimize(bytes.Clone(raw))
	var v any
	if err != nil || json.Unmarshal(plain, &v) != nil {
		return nil
	}
	return v
}

// includes reports whether have is want, or an object with all that want has.
func includes(have, want any) bool {
	wanted, ok := want.(map[string]any)
	held, both := have.(map[string]any)
	if !ok || !both {
		return reflect.DeepEqual(have, want)
	}
	for name, v := range wanted {
		if !reflect.DeepEqual(held[name], v) {
			return false
		}
	}
	return true
}

// Empty reports whether a JSON file holds nothing: no member and no comment.
func Empty(text []byte) bool {
	plain, err := hujson.Parse(bytes.TrimPrefix(text, []byte(bom)))
	if err != nil {
		return len(bytes.TrimSpace(text)) == 0
	}
	rest := string(plain.Pack())
	return strings.Join(strings.Fields(rest), "") == "{}"
}
