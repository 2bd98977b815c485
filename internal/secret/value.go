// Package secret holds values that must not be printed.
//
// A [Value] formats, marshals and logs as "[redacted]" whatever verb or encoder meets it. [Value.Reveal] is the
// only way to the bytes, so that a search for "Reveal(" finds every place where a secret leaves the type.
package secret

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// Redacted is what a Value prints as.
const Redacted = "[redacted]"

// Value is a secret value: any bytes, possibly none. The zero Value is empty. It is safe for concurrent use as long
// as nobody calls Wipe.
type Value struct {
	b []byte
}

// New returns a Value that owns b; the caller must not use b afterwards.
func New(b []byte) Value { return Value{b: b} }

// Of returns a Value that holds the bytes of s.
func Of(s string) Value { return Value{b: []byte(s)} }

// Reveal returns the bytes themselves, not a copy: do not change them, do not keep them longer than needed.
func (v Value) Reveal() []byte { return v.b }

// Len returns the length in bytes.
func (v Value) Len() int { return len(v.b) }

// Equal reports in constant time whether v and o hold the same bytes. Only their lengths can be told from the time.
func (v Value) Equal(o Value) bool { return subtle.ConstantTimeCompare(v.b, o.b) == 1 }

// Clone returns a Value with its own copy of the bytes.
func (v Value) Clone() Value { return Value{b: bytes.Clone(v.b)} }

// Wipe overwrites the bytes with zeros. Every copy of v that shares them is wiped too.
func (v Value) Wipe() { clear(v.b) }

// String returns Redacted.
func (v Value) String() string { return Redacted }

// GoString returns Redacted.
func (v Value) GoString() string { return Redacted }

// Format writes Redacted for every verb.
func (v Value) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(Redacted)) } // fmt.State never fails

// LogValue makes slog print Redacted.
func (v Value) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText returns Redacted.
func (v Value) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON returns Redacted as a JSON string.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(Redacted) }

// MarshalBinary refuses, so that gob and its kin cannot carry a value by accident.
func (v Value) MarshalBinary() ([]byte, error) {
	return nil, errors.New("a secret value has no binary form")
}

// UnmarshalText takes text as the value, so that a request body or a file can hold one.
func (v *Value) UnmarshalText(text []byte) error {
	v.b = bytes.Clone(text)
	return nil
}
