package redact_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func matcher(t testing.TB, values ...string) *redact.Matcher {
	t.Helper()
	var secrets []redact.Secret
	for i, v := range values {
		secrets = append(secrets, redact.Secret{Name: fmt.Sprintf("S%d", i), Value: secret.Of(v)})
	}
	m, err := redact.New(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// oracle masks as slowly and simply as can be: every form at every place.
type oracle map[string]string // the name that each form has

func newOracle(values ...string) oracle {
	o := oracle{}
	for i, v := range values {
		redact.Forms(secret.Of(v), func(_ redact.Encoding, form []byte) {
			if _, known := o[string(form)]; !known {
				o[string(form)] = fmt.Sprintf("S%d", i)
			}
		})
	}
	return o
}

func (o oracle) mask(text []byte) []byte {
	var out []byte
	end := 0
	for at := range text {
		longest, name := 0, ""
		for form, n := range o {
			if len(form) > longest && bytes.HasPrefix(text[at:], []byte(form)) {
				longest, name = len(form), n
			}
		}
		if longest > 0 && at >= end {
			out = append(out, "[redacted:"+name+"]"...)
		}
		if end = max(end, at+longest); at >= end {
			out = append(out, text[at])
		}
	}
	return out
}

// survivor returns the first form that stands in text.
func (o oracle) survivor(text []byte) (string, bool) {
	for form := range o {
		if bytes.Contains(text, []byte(form)) {
			return form, true
		}
	}
	return "", false
}

// stream writes b in pieces of the sizes given, flushing after every one if asked, and checks the law that less than the longest
// form is held back at any time.
func stream(t fataler, m *redact.Matcher, b []byte, cuts []int, flush bool) []byte {
	var out, behind bytes.Buffer
	w := m.Writer(&out)
	for _, n := range append(cuts, len(b)) {
		n = min(n, len(b))
		if written, err := w.Write(b[:n]); err != nil || written != n {
			t.Fatalf("writing %d bytes: %d, %v", n, written, err)
		}
		if flush {
			if err := w.Flush(); err != nil {
				t.Fatalf("flushing: %v", err)
			}
		}
		behind.Write(b[:n])
		b = b[n:]
		if held, longest := held(m, behind.Bytes(), out.Bytes()), m.Longest(); held >= max(longest, 1) {
			t.Fatalf("%d bytes are held back; the longest form has %d", held, longest)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatalf("closing: %v", err)
	}
	return out.Bytes()
}

// held counts the bytes at the end of in that out has nothing of yet; all of them, if out is not the beginning of in masked.
func held(m *redact.Matcher, in, out []byte) int {
	for n := range min(m.Longest(), len(in)) + 1 {
		if bytes.Equal(m.Bytes(in[:len(in)-n]), out) {
			return n
		}
	}
	return len(in)
}

type fataler interface {
	Fatalf(format string, args ...any)
}
