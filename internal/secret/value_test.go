package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

const plain = "hunter2-hunter2"

func TestValue_NeverPrints(t *testing.T) {
	v := secret.Of(plain)
	type login struct{ Password secret.Value }
	wrapped := login{v}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T %v"} {
		args := []any{v}
		if strings.HasPrefix(verb, "%T") {
			args = append(args, v)
		}
		fmt.Fprintf(&out, verb, args...)
		fmt.Fprintf(&out, strings.TrimPrefix(verb, "%T "), wrapped)
		fmt.Fprintf(&out, strings.TrimPrefix(verb, "%T "), &wrapped)
		fmt.Fprintf(&out, strings.TrimPrefix(verb, "%T "), []secret.Value{v})
		fmt.Fprintf(&out, strings.TrimPrefix(verb, "%T "), map[string]secret.Value{"k": v})
	}
	fmt.Fprint(&out, v, wrapped, fmt.Errorf("doing: %v", v))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v, "w", wrapped)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v, "w", wrapped)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		b, err := marshal(wrapped)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	hexed := fmt.Sprintf("%x", plain)
	for _, form := range []string{plain, hexed, strings.ToUpper(hexed)} {
		if strings.Contains(out.String(), form) {
			t.Fatalf("the value was printed: %s", out.String())
		}
	}
	if !strings.Contains(out.String(), secret.Redacted) {
		t.Fatal("nothing was printed at all")
	}
}

func TestValue_GobRefuses(t *testing.T) {
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(secret.Of(plain)); err == nil {
		t.Fatal("gob carried a secret value")
	}
	if bytes.Contains(buf.Bytes(), []byte(plain)) {
		t.Fatal("the value is in the stream")
	}
}

func TestValue_RoundTrip(t *testing.T) {
	var in struct{ V secret.Value }
	if err := json.Unmarshal([]byte(`{"V":"`+plain+`"}`), &in); err != nil {
		t.Fatal(err)
	}
	if string(in.V.Reveal()) != plain || in.V.Len() != len(plain) || !in.V.Equal(secret.Of(plain)) {
		t.Fatal("the value read is not the value written")
	}
	c := in.V.Clone()
	in.V.Wipe()
	if in.V.Equal(c) || !c.Equal(secret.Of(plain)) {
		t.Fatal("Wipe and Clone share bytes")
	}
}
