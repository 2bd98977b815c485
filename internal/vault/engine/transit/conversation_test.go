package transit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/transit"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

// A conversation is a file of requests and what they are answered:
//
//	POST encrypt/a {"plaintext":"aGk="} => 200 {"key_version":1} ct=ciphertext
//
// Of an answer's data only the members named are compared, "*" standing for any text that is not empty; after 4xx and 5xx comes
// a part of the error as a JSON string. name=path keeps a member for later requests, which write $name. "# title" starts a new
// mount.

// step is one line of a conversation.
type step struct {
	line               string
	method, path, body string
	status             int
	want               any
	keep               [][2]string
}

// reply is what a server says.
type reply struct {
	status int
	data   any
	text   string // of the error
}

func parseStep(line string) (step, error) {
	s := step{line: line}
	request, answer, ok := strings.Cut(line, " => ")
	if !ok {
		return s, errors.New("no =>")
	}
	var rest string
	s.method, rest, _ = strings.Cut(request, " ")
	s.path, s.body, _ = strings.Cut(rest, " ")
	status, answer, _ := strings.Cut(answer, " ")
	if _, err := fmt.Sscan(status, &s.status); err != nil {
		return s, err
	}
	d := json.NewDecoder(strings.NewReader(answer))
	if strings.HasPrefix(answer, "{") || strings.HasPrefix(answer, `"`) {
		if err := d.Decode(&s.want); err != nil {
			return s, err
		}
		answer = answer[d.InputOffset():]
	}
	for _, keep := range strings.Fields(answer) {
		name, path, ok := strings.Cut(keep, "=")
		if !ok {
			return s, fmt.Errorf("no = in %q", keep)
		}
		s.keep = append(s.keep, [2]string{name, path})
	}
	return s, nil
}

// converse plays a conversation; fresh gives a server without any keys.
func converse(t *testing.T, file string, fresh func(t *testing.T) func(method, path, body string) reply) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`\$[a-z0-9]+`)
	parts := strings.Split("\n"+string(raw), "\n# ")[1:]
	if len(parts) == 0 {
		t.Fatal("no conversation in the file")
	}
	for _, part := range parts {
		title, lines, _ := strings.Cut(part, "\n")
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			do := fresh(t)
			kept := map[string]string{}
			for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
				s, err := parseStep(line)
				if err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				fill := func(text string) string {
					return variable.ReplaceAllStringFunc(text, func(name string) string { return kept[name[1:]] })
				}
				got := do(s.method, fill(s.path), fill(s.body))
				check(t, s, got, kept, fill)
			}
		})
	}
}

func check(t *testing.T, s step, got reply, kept map[string]string, fill func(string) string) {
	t.Helper()
	if got.status != s.status {
		t.Errorf("%s\n\tgot status %d %s %v", s.line, got.status, got.text, got.data)
		return
	}
	if text, ok := s.want.(string); ok {
		if !strings.Contains(got.text, fill(text)) {
			t.Errorf("%s\n\tgot error %q", s.line, got.text)
		}
	} else if s.want != nil {
		if diff := differs(s.want, got.data, fill); diff != "" {
			t.Errorf("%s\n\t%s", s.line, diff)
		}
	}
	for _, keep := range s.keep {
		v := got.data
		for _, name := range strings.Split(keep[1], ".") {
			switch at := v.(type) {
			case map[string]any:
				v = at[name]
			case []any:
				var i int
				if _, err := fmt.Sscan(name, &i); err == nil && i < len(at) {
					v = at[i]
				}
			}
		}
		text, ok := v.(string)
		if !ok {
			t.Fatalf("%s\n\tno text at %s in %v", s.line, keep[1], got.data)
		}
		kept[keep[0]] = strings.ReplaceAll(text, "\n", `\n`)
	}
}

// differs says where got lacks something of want.
func differs(want, got any, fill func(string) string) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("got %v, want an object", got)
		}
		for name, value := range want {
			if value == "absent" {
				if _, ok := object[name]; ok {
					return name + " is there"
				}
				continue
			}
			if diff := differs(value, object[name], fill); diff != "" {
				return name + ": " + diff
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("got %v, want %d items", got, len(want))
		}
		for i := range want {
			if diff := differs(want[i], list[i], fill); diff != "" {
				return fmt.Sprintf("%d: %s", i, diff)
			}
		}
		return ""
	case string:
		text, ok := got.(string)
		if ok && (want == "*" && text != "" || text == strings.ReplaceAll(fill(want), `\n`, "\n")) {
			return ""
		}
	default:
		if reflect.DeepEqual(want, got) {
			return ""
		}
	}
	return fmt.Sprintf("got %v, want %v", got, want)
}

// dataOf is the member "data" as a client reads it.
func dataOf(t testing.TB, resp *logical.Response) any {
	t.Helper()
	raw := resp.Rendered
	if raw == nil {
		data := resp.Data
		if resp.Keys != nil {
			data = map[string]any{"keys": resp.Keys}
		}
		var err error
		if raw, err = json.Marshal(data); err != nil {
			t.Fatal(err)
		}
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("answer is not JSON: %v", err)
	}
	return v
}

// engine answers from the engine itself.
func engine(t *testing.T) func(method, path, body string) reply {
	m := logicaltest.New(t, transit.New(), nil)
	ops := map[string]logical.Operation{"POST": logical.Update, "GET": logical.Read, "LIST": logical.List, "DELETE": logical.Delete}
	return func(method, path, body string) reply {
		resp, err := m.Do(t, ops[method], path, body)
		if err != nil {
			var e *logical.Error
			if !errors.As(err, &e) {
				t.Errorf("%s %s: an error that clients are not told of: %v", method, path, err)
			}
			return reply{status: logical.StatusOf(err), text: err.Error()}
		}
		if resp == nil || resp.Data == nil && resp.Rendered == nil && resp.Keys == nil {
			return reply{status: 204}
		}
		return reply{status: max(resp.Status, 200), data: dataOf(t, resp)}
	}
}

func TestConversations(t *testing.T) {
	t.Parallel()
	converse(t, "testdata/conversations.txt", engine)
}
