package mcp_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func matcher(t testing.TB, values ...string) *redact.Matcher {
	t.Helper()
	secrets := make([]redact.Secret, len(values))
	for i, v := range values {
		secrets[i] = redact.Secret{Name: "S", Value: secret.Of(v)}
	}
	m, err := redact.New(secrets)
	check(t, err)
	return m
}

func TestMaskJSON(t *testing.T) {
	t.Parallel()
	m := matcher(t, "sk_live_4242424242", "1234567890123", `quote"and\back`, "line one of it\nline two of it", `{"private_key": "abc", "n": 7}`)
	for in, want := range map[string]string{
		`{"a":"sk_live_4242424242"}`:                `{"a":"[redacted:S]"}`,
		`{"sk_live_4242424242":1}`:                  `{"[redacted:S]":1}`,
		`[1234567890123, 12, -1.5e3]`:               `["[redacted:S]", 12, -1.5e3]`,
		`{"a":"quote\"and\\back"}`:                  `{"a":"[redacted:S]"}`,
		`{"a":"sk_live_\u0034242424242"}`:           `{"a":"[redacted:S]"}`,
		`{"a":"line one of it\nline two of it"}`:    `{"a":"[redacted:S]"}`,
		`{"a":"line two of it alone"}`:              `{"a":"[redacted:S] alone"}`,
		`{"a":{"b":[true,null,"nothing"]}}`:         `{"a":{"b":[true,null,"nothing"]}}`,
		`{"a":"<b>&amp; c2tfbGl2ZV80MjQyNDI0MjQy"}`: `{"a":"\u003cb\u003e\u0026amp; [redacted:S]"}`,
		`"{\"private_key\": \"abc\", \"n\": 7}"`:    `"[redacted:S]"`,
	} {
		got, err := mcp.MaskJSON(m, json.RawMessage(in))
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
	// A value that is a piece of the document itself cannot be taken out of it.
	if got, err := mcp.MaskJSON(m, json.RawMessage(`{"x":{"private_key": "abc", "n": 7}}`)); err == nil {
		t.Errorf("a document that holds a value was let through: %s", got)
	}
	for _, bad := range []string{`{"a":"`, `"\x"`, `"a\`} {
		if got, err := mcp.MaskJSON(m, json.RawMessage(bad)); err == nil {
			t.Errorf("%s, which is no JSON, was let through: %s", bad, got)
		}
	}
}

// Whatever a document is like, masked it is one, holds no value, and is the same where there was none.
func FuzzMaskJSON(f *testing.F) {
	f.Add(`{"a":["sk_live_4242424242",1234567890123,{"b":null}]}`)
	f.Add(`"sk_live_\u0034242424242"`)
	f.Add(`[1234567890123.5,-1234567890123]`)
	f.Add(`{"":"a\"b","x":"1234567890123"}`)
	m := matcher(f, "sk_live_4242424242", "1234567890123")
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		got, err := mcp.MaskJSON(m, json.RawMessage(text))
		if err != nil {
			return
		}
		before, after := number(t, []byte(text)), number(t, got)
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case string:
				if strings.Contains(v, "sk_live_4242424242") || strings.Contains(v, "1234567890123") {
					t.Errorf("%q became %q, which holds a value", text, got)
				}
			case []any:
				for _, x := range v {
					walk(x)
				}
			case map[string]any:
				for k, x := range v {
					walk(k)
					walk(x)
				}
			}
		}
		walk(after)
		if !strings.Contains(string(got), "[redacted:S]") {
			if !reflect.DeepEqual(before, after) {
				t.Errorf("%q became %q without a value in it", text, got)
			}
		}
	})
}

// number decodes a document with its numbers as they are written.
func number(t testing.TB, raw []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%q is no JSON: %v", raw, err)
	}
	return v
}
