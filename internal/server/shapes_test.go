package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
)

// shape is a request that OpenBao documents, and the members that "data" has in its documented answer. Without members nothing
// is answered.
type shape struct {
	Method, Path string
	Body         json.RawMessage
	Keep         string            // the name that the answer's id is filled in for from here on
	Members      map[string]string // by name: list, object, string, number, bool, null, id, time
}

// TestIdentity_Shapes sends every documented request of the identity store and compares the answers' shapes.
func TestIdentity_Shapes(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "wire", "identity_shapes.json"))
	if err != nil {
		t.Fatal(err)
	}
	var shapes []shape
	if err := json.Unmarshal(raw, &shapes); err != nil || len(shapes) == 0 {
		t.Fatalf("%d shapes: %v", len(shapes), err)
	}
	s := servertest.Start(t)
	known := []string{"{accessor}", user(t, client(t, s, s.Token), "testuser")}
	for _, want := range shapes {
		fill := strings.NewReplacer(known...)
		got := ask(t, s, want.Method, fill.Replace(want.Path), fill.Replace(string(want.Body)), want.Members == nil)
		for name, kind := range want.Members {
			if v, ok := got[name]; !ok || !isKind(v, kind) {
				t.Errorf("%s %s: %q is %v, want a %s", want.Method, want.Path, name, v, kind)
			}
		}
		if want.Keep != "" {
			known = append(known, "{"+want.Keep+"}", fmt.Sprint(got["id"]))
		}
	}
}

// ask returns the member "data" of an answer: 200, or 204 and nothing if empty.
func ask(t *testing.T, s *servertest.Server, method, path, body string, empty bool) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/v1/"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Vault-Token", s.Token)
	resp := must(s.Client().Do(r))(t)
	defer func() {
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}()
	if empty {
		if resp.StatusCode != http.StatusNoContent {
			t.Errorf("%s %s: status %d, want 204", method, path, resp.StatusCode)
		}
		return nil
	}
	var answer struct{ Data map[string]any }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d, %v", method, path, resp.StatusCode, err)
	}
	return answer.Data
}

func isKind(v any, kind string) bool {
	var ok bool
	switch kind {
	case "null":
		return v == nil
	case "list":
		_, ok = v.([]any)
	case "object":
		_, ok = v.(map[string]any)
	case "number":
		_, ok = v.(float64)
	case "bool":
		_, ok = v.(bool)
	case "string":
		var text string
		text, ok = v.(string)
		ok = ok && text != ""
	case "id":
		ok = uuid.Validate(fmt.Sprint(v)) == nil
	case "time":
		_, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v))
		ok = err == nil
	}
	return ok
}
