package policy

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// readJSON reads a policy in JSON. It keeps the lines, the order and repeated names, which encoding/json's values do not.
func readJSON(text string) ([]member, error) {
	r := jsonReader{text: text, decoder: json.NewDecoder(strings.NewReader(text)), line: 1}
	r.decoder.UseNumber()
	root, err := r.value(0)
	if err != nil {
		return nil, r.explain(err)
	}
	if _, err := r.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, failAt(r.here(), "not valid JSON: there is text after the closing brace")
	}
	return root.content.([]member), nil //nolint:errcheck // the text begins with a brace
}

type jsonReader struct {
	text    string
	decoder *json.Decoder
	line    int // of offset seen
	seen    int
}

// here returns the line of the token read last.
func (r *jsonReader) here() int {
	at := min(int(r.decoder.InputOffset()), len(r.text))
	r.line += strings.Count(r.text[r.seen:at], "\n")
	r.seen = at
	return r.line
}

func (r *jsonReader) explain(err error) error {
	var at *lineError
	if errors.As(err, &at) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return failAt(strings.Count(r.text, "\n")+1, "not valid JSON: the text ends too early")
	}
	return failAt(r.here(), "not valid JSON: %v", err)
}

func (r *jsonReader) value(depth int) (value, error) {
	t, err := r.decoder.Token()
	if err != nil {
		return value{}, err
	}
	line := r.here()
	switch t := t.(type) {
	case json.Delim:
		if depth++; depth > maxDepth {
			return value{}, failAt(line, "brackets are nested deeper than %d", maxDepth)
		}
		if t == '{' {
			return r.object(line, depth)
		}
		return r.list(line, depth)
	case json.Number:
		n, ok := number(t.String(), 10)
		if !ok {
			return value{}, failAt(line, "%s is not a number that fits into 64 bits", t)
		}
		return value{line, n}, nil
	}
	return value{line, t}, nil // string, bool or nil
}

func (r *jsonReader) object(line, depth int) (value, error) {
	members := []member{}
	for r.decoder.More() {
		t, err := r.decoder.Token()
		if err != nil {
			return value{}, err
		}
		name, ok := t.(string)
		if !ok {
			return value{}, failAt(r.here(), "not valid JSON: a name is missing")
		}
		m := member{name: name, line: r.here()}
		if m.value, err = r.value(depth); err != nil {
			return value{}, err
		}
		members = append(members, m)
	}
	_, err := r.decoder.Token()
	return value{line, members}, err
}

func (r *jsonReader) list(line, depth int) (value, error) {
	list := []value{}
	for r.decoder.More() {
		v, err := r.value(depth)
		if err != nil {
			return value{}, err
		}
		list = append(list, v)
	}
	_, err := r.decoder.Token()
	return value{line, list}, err
}
