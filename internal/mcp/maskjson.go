package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// errUnmaskable is returned for what stays no JSON, or holds a value all the same, once masked.
var errUnmaskable = errors.New("masking a document: it holds a value that cannot be taken out of it")

// json masks every string of a JSON document, names of members too, and numbers, which become strings then. The document is
// returned itself if there is nothing to mask, which is told by one look at all strings behind each other.
func (m masks) json(raw []byte) (out []byte, changed bool, err error) {
	texts, err := stringsIn(raw)
	if err != nil {
		return nil, false, err
	}
	if !m.find(raw) && !m.find(texts) {
		return raw, false, nil
	}
	out, err = m.rewrite(raw)
	if err != nil {
		return nil, false, err
	}
	// A value can lie across strings: one that is a piece of JSON itself.
	if m.find(out) {
		if out = []byte(m.text(string(out))); !json.Valid(out) {
			return nil, false, errUnmaskable
		}
	}
	return out, true, nil
}

// stringsIn returns all strings of a document, decoded, with a line break between them.
func stringsIn(raw []byte) ([]byte, error) {
	texts := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '"' {
			i++
			continue
		}
		end, plain := stringEnd(raw, i)
		if end < 0 {
			return nil, fmt.Errorf("masking a document: a string does not end")
		}
		if plain {
			texts = append(texts, raw[i+1:end-1]...)
		} else {
			var s string
			if err := json.Unmarshal(raw[i:end], &s); err != nil {
				return nil, fmt.Errorf("masking a document: %w", err)
			}
			texts = append(texts, s...)
		}
		texts = append(texts, '\n')
		i = end
	}
	return texts, nil
}

// stringEnd returns where the string that starts at i is over, and whether it holds no escape; -1 if it does not end.
func stringEnd(raw []byte, i int) (end int, plain bool) {
	plain = true
	for j := i + 1; j < len(raw); j++ {
		switch raw[j] {
		case '\\':
			plain = false
			j++
		case '"':
			return j + 1, plain
		}
	}
	return -1, false
}

// rewrite masks each string and number by itself.
func (m masks) rewrite(raw []byte) ([]byte, error) {
	out := bytes.NewBuffer(make([]byte, 0, len(raw)))
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c == '"':
			end, _ := stringEnd(raw, i)
			var s string
			if err := json.Unmarshal(raw[i:end], &s); err != nil {
				return nil, fmt.Errorf("masking a document: %w", err)
			}
			if err := write(out, m.text(s)); err != nil {
				return nil, err
			}
			i = end
		case c == '-' || (c >= '0' && c <= '9'):
			end := i + 1
			for end < len(raw) && bytes.IndexByte([]byte("0123456789+-.eE"), raw[end]) >= 0 {
				end++
			}
			number := string(raw[i:end])
			if masked := m.text(number); masked != number {
				if err := write(out, masked); err != nil {
					return nil, err
				}
			} else {
				out.WriteString(number)
			}
			i = end
		default:
			out.WriteByte(c)
			i++
		}
	}
	return out.Bytes(), nil
}

func write(out *bytes.Buffer, s string) error {
	b, err := json.Marshal(s)
	out.Write(b)
	return err
}
