// Package conversation runs tables of requests and answers against an engine: files below testdata.
//
//	# a comment
//	> update data/a%20b {"data":{"x":1.10}}    an operation, a path (escaped as in a URL, "." for none) and a body
//	< 200 {"data":{"version":1}}               the status and the body, byte for byte, without what the core wraps around
//	+ 1h                                       the clock moves
//	= other                                    another token asks
//
// The clock starts at 2026-01-02T03:04:05Z. With -update the files are written anew with what the engine answers.
package conversation

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical/logicaltest"
)

var update = flag.Bool("update", false, "write what the engine answers into testdata")

// Run runs every testdata/*.txt against a mount of its own.
func Run(t *testing.T, backend func() *logical.Backend) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { run(t, backend(), file) })
	}
}

func run(t *testing.T, b *logical.Backend, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := logicaltest.New(t, b, nil)
	var out strings.Builder
	got, asked := "", 0
	for n, line := range strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n") {
		mark, rest, _ := strings.Cut(line, " ")
		switch mark {
		case ">":
			got = "< " + ask(t, m, rest)
			asked++
			fmt.Fprintf(&out, "%s\n%s\n", line, got)
			continue
		case "<":
			if got != line && !*update {
				t.Errorf("%s:%d: got\n%s\nwant\n%s", file, n+1, got, line)
			}
			continue
		case "+":
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatalf("%s:%d: %v", file, n+1, err)
			}
			m.Now = m.Now.Add(d)
		case "=":
			token := *m.Token
			token.Hash = rest
			m.Token = &token
		case "#", "":
		default:
			t.Fatalf("%s:%d: what is %q?", file, n+1, mark)
		}
		out.WriteString(line + "\n")
	}
	if asked == 0 {
		t.Fatalf("%s asks nothing", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if out.String() != string(raw) && !t.Failed() {
		t.Errorf("%s: a request without its answer", file)
	}
}

func ask(t *testing.T, m *logicaltest.Mount, line string) string {
	t.Helper()
	op, rest, _ := strings.Cut(line, " ")
	escaped, body, _ := strings.Cut(rest, " ")
	path, err := url.PathUnescape(escaped)
	if err != nil {
		t.Fatal(err)
	}
	if path == "." {
		path = ""
	}
	resp, err := m.Do(t, logical.Operation(op), path, body)
	if err != nil {
		return refusal(t, err)
	}
	return answer(t, resp)
}

func refusal(t *testing.T, err error) string {
	t.Helper()
	texts := []string{}
	var e *logical.Error
	if errors.As(err, &e) {
		texts = append(texts, e.Errors...)
	} else {
		texts = append(texts, err.Error())
	}
	return fmt.Sprintf("%d %s", logical.StatusOf(err), encode(t, map[string]any{"errors": texts}))
}

func answer(t *testing.T, resp *logical.Response) string {
	t.Helper()
	if resp == nil {
		resp = &logical.Response{}
	}
	body := map[string]any{}
	switch {
	case resp.Rendered != nil:
		body["data"] = json.RawMessage(resp.Rendered)
	case resp.Data != nil:
		body["data"] = resp.Data
	case resp.Keys != nil:
		list := map[string]any{"keys": resp.Keys}
		if resp.KeyInfo != nil {
			list["key_info"] = resp.KeyInfo
		}
		body["data"] = list
	}
	if resp.Lease != nil {
		body["lease_duration"] = int(resp.Lease.TTL / time.Second)
	}
	if resp.Warnings != nil {
		body["warnings"] = resp.Warnings
	}
	status := resp.Status
	if status == 0 && len(body) == 0 {
		status = http.StatusNoContent
	} else if status == 0 {
		status = http.StatusOK
	}
	if len(body) == 0 {
		return fmt.Sprint(status)
	}
	return fmt.Sprintf("%d %s", status, encode(t, body))
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}
