package vaultcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxInput is how much is read from stdin or a file.
const maxInput = 64 << 20

// pairsReader reads arguments of the form key=value.
//
//	key=value     a text
//	key=\@value   a text that starts with @
//	key=@file     what is in a file
//	key=-         what comes from stdin
//	@file, -      a JSON object, in a file or from stdin
//
// A key given twice is a list. Errors name the key, never a value.
type pairsReader struct {
	stdin io.Reader
	used  bool
	data  map[string]any
}

// data reads the arguments from the given one on.
func (c *call) data(from int) (map[string]any, error) {
	r := &pairsReader{stdin: c.stdin(), data: map[string]any{}}
	for i, arg := range c.args[min(from, len(c.args)):] {
		if err := r.add(arg); err != nil {
			return nil, broken(err, "Failed to parse K=V data: argument %d", from+i+1)
		}
	}
	return r.data, nil
}

func (r *pairsReader) add(arg string) error {
	key, text, isPair := strings.Cut(arg, "=")
	switch {
	case arg == "":
		return nil
	case isPair:
	case arg == "-":
		source, err := r.fromStdin()
		if err != nil {
			return err
		}
		return r.document(source)
	case arg[0] == '@':
		f, err := os.Open(arg[1:])
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // only read from
		return r.document(f)
	default:
		return errors.New("it is not key=value")
	}
	value, err := r.value(text)
	if err != nil {
		return fmt.Errorf("key %q: %w", key, err)
	}
	switch before, twice := r.data[key]; {
	case !twice:
		r.data[key] = value
	default:
		list, isList := before.([]any)
		if !isList {
			list = []any{before}
		}
		r.data[key] = append(list, value)
	}
	return nil
}

func (r *pairsReader) value(text string) (string, error) {
	switch {
	case text == "-":
		source, err := r.fromStdin()
		if err != nil {
			return "", err
		}
		return all(source)
	case strings.HasPrefix(text, "@"):
		f, err := os.Open(text[1:])
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }() // only read from
		return all(f)
	case strings.HasPrefix(text, `\@`):
		return text[1:], nil
	}
	return text, nil
}

func all(source io.Reader) (string, error) {
	content, err := io.ReadAll(io.LimitReader(source, maxInput+1))
	if len(content) > maxInput {
		return "", fmt.Errorf("it is longer than %d bytes", maxInput)
	}
	return string(content), err
}

// fromStdin gives stdin out once.
func (r *pairsReader) fromStdin() (io.Reader, error) {
	if r.used {
		return nil, errors.New("stdin was taken already")
	}
	r.used = true
	return r.stdin, nil
}

// document takes the members of a JSON object, which replace what was there.
func (r *pairsReader) document(source io.Reader) error {
	text, err := all(source)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return errors.New("it is not a JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	for k, v := range object {
		r.data[k] = v
	}
	return nil
}

// texts is data with every value as a text; lists and objects are refused.
func (c *call) texts(from int) (map[string]string, error) {
	data, err := c.data(from)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for k, v := range data {
		text, ok := scalar(v)
		if !ok {
			return nil, usage("Failed to parse K=V data: key %q: one text is expected", k)
		}
		out[k] = text
	}
	return out, nil
}

// query is data as parameters of a URL.
func (c *call) query(from int) (map[string][]string, error) {
	data, err := c.data(from)
	if err != nil || len(data) == 0 {
		return nil, err
	}
	out := map[string][]string{}
	for k, v := range data {
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, item := range list {
			text, ok := scalar(item)
			if !ok {
				return nil, usage("Failed to parse K=V data: key %q: texts are expected", k)
			}
			out[k] = append(out[k], text)
		}
	}
	return out, nil
}

func scalar(v any) (string, bool) {
	switch v.(type) {
	case string, json.Number, bool:
		return fmt.Sprint(v), true
	}
	return "", false
}
