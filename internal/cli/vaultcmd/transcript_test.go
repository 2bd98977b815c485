package vaultcmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"

	"github.com/ArcadeLabsInc/zvault/internal/cli/vaultcmd"
	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

var update = flag.Bool("update", false, "write what the commands print now into the transcripts")

// TestTranscripts types the command lines of testdata/*.txtar against a server that answers what the file says.
//
// The part "answers" has lines of METHOD PATH STATUS JSON; several for one request are given in turn. The part "transcript"
// has a command line after "$ ", then the requests that it made after "> ", what it printed to stderr after "! " and to
// stdout, and its exit status. NAME=VALUE before a command sets the environment, < PART feeds stdin, $DIR is a folder that
// has all other parts as files, and < tty:TEXT types at a terminal.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d transcripts found: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			replay(t, file)
		})
	}
}

func replay(t *testing.T, file string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	parts := map[string]string{}
	for _, f := range archive.Files {
		parts[f.Name] = string(f.Data)
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &stage{t: t, dir: dir, parts: parts, server: newFake(t, parts["answers"])}
	var got strings.Builder
	commands := 0
	for line := range strings.Lines(parts["transcript"]) {
		if strings.HasPrefix(line, "#") {
			got.WriteString(line)
		}
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			commands++
			got.WriteString(line + s.run(strings.TrimSpace(command)))
		}
	}
	if commands == 0 {
		t.Fatal("the transcript has no command")
	}
	diff := cmp.Diff(parts["transcript"], got.String())
	if diff != "" && *update {
		for i := range archive.Files {
			if archive.Files[i].Name == "transcript" {
				archive.Files[i].Data = []byte(got.String())
			}
		}
		if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// stage is where the command lines of one file are typed.
type stage struct {
	t      *testing.T
	dir    string
	parts  map[string]string
	server *fake
}

// run types one command line and returns what came of it.
func (s *stage) run(line string) string {
	line = strings.NewReplacer("$DIR", s.dir, "$SERVER", s.server.URL).Replace(line)
	env := map[string]string{"VAULT_ADDR": s.server.URL, "VAULT_TOKEN": "root"}
	line, stdin, _ := strings.Cut(line, " < ")
	words := split(line)
	for len(words) > 0 && strings.Contains(words[0], "=") && !strings.HasPrefix(words[0], "-") {
		name, value, _ := strings.Cut(words[0], "=")
		env[name], words = value, words[1:]
	}
	var out, stderr bytes.Buffer
	typed, terminal := strings.CutPrefix(stdin, "tty:")
	jsonFlag := false
	host := &vaultcmd.Host{
		In: strings.NewReader(s.parts[stdin]), Out: &out, Err: &stderr, Getenv: func(name string) string { return env[name] },
		JSON: func() bool { return jsonFlag },
		Ask: func(prompt string) ([]byte, error) {
			fmt.Fprintln(&stderr, prompt)
			if !terminal {
				return nil, errors.New("there is no terminal to ask on")
			}
			return []byte(typed), nil
		},
		TokenFile: func() (vaultclient.TokenFile, error) {
			return vaultclient.TokenFile{Path: filepath.Join(s.dir, "token")}, nil
		},
		Wait: func(context.Context, time.Duration) error { return nil },
	}
	root := program(&out)
	root.PersistentFlags().BoolVar(&jsonFlag, "json", false, "")
	root.SetOut(&out)
	root.SetErr(&stderr)
	root.SetArgs(vaultcmd.Wire(root, "server", host, words))
	status := 0
	if err := root.ExecuteContext(s.t.Context()); err != nil {
		status = 9 // not ours
		var exit *vaultcmd.Exit
		if errors.As(err, &exit) {
			exit.Say(&stderr)
			status = exit.Status
		}
	}
	var b strings.Builder
	for _, r := range s.server.drain() {
		b.WriteString("> " + r + "\n")
	}
	for l := range strings.Lines(stderr.String()) {
		b.WriteString("! " + strings.TrimSuffix(l, "\n") + "\n")
	}
	b.WriteString(out.String())
	if text := out.String(); text != "" && !strings.HasSuffix(text, "\n") {
		b.WriteString("(no newline)\n")
	}
	fmt.Fprintf(&b, "[%d]\n", status)
	return strings.NewReplacer(s.server.URL, "http://SERVER", s.dir, "$DIR").Replace(b.String())
}

// program is a root command with the words that have two meanings.
func program(out io.Writer) *cobra.Command {
	root := &cobra.Command{Use: "zvault", SilenceErrors: true, SilenceUsage: true}
	root.AddGroup(&cobra.Group{ID: "server", Title: "Server:"})
	own := func(use string, aliases ...string) *cobra.Command {
		return &cobra.Command{Use: use, Aliases: aliases, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(out, "ours:", c.CommandPath())
			return err
		}}
	}
	secret, audit := own("secret", "secrets"), own("audit")
	secret.AddCommand(own("list"), own("set"))
	audit.AddCommand(own("list", "ls"), own("verify"))
	root.PersistentFlags().StringP("project", "p", "", "")
	root.PersistentFlags().BoolP("quiet", "q", false, "")
	root.AddCommand(own("status"), secret, audit)
	return root
}

// split takes a line apart at spaces; single quotes keep them.
func split(line string) []string {
	var words []string
	word, quoted, begun := "", false, false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				words = append(words, word)
			}
			word, begun = "", false
		default:
			word, begun = word+string(r), true
		}
	}
	if begun {
		words = append(words, word)
	}
	return words
}

// fake is a server that answers what it was told and remembers what it was asked.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string][]string
	seen    []string
}

func newFake(t *testing.T, script string) *fake {
	t.Helper()
	f := &fake{answers: map[string][]string{}}
	for line := range strings.Lines(script) {
		method, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		path, answer, ok := strings.Cut(rest, " ")
		if ok {
			f.answers[method+" "+path] = append(f.answers[method+" "+path], answer)
		}
	}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.TrimPrefix(r.URL.RequestURI(), "/v1/")
	line := r.Method + " " + path
	for _, name := range []string{"X-Vault-Namespace", "X-Vault-Wrap-Ttl", "X-Vault-Mfa", "X-Extra", "Content-Type"} {
		if v := r.Header.Get(name); v != "" {
			line += " [" + name + ": " + v + "]"
		}
	}
	if token := r.Header.Get("X-Vault-Token"); token != "root" {
		line += fmt.Sprintf(" [token %q]", token)
	}
	if r.Header.Get("X-Vault-Request") != "true" {
		line += " [no X-Vault-Request]"
	}
	if len(body) > 0 {
		line += " " + steady(body)
	}
	f.seen = append(f.seen, line)
	answers := f.answers[r.Method+" "+path]
	if len(answers) == 0 {
		answers = []string{`404 {"errors":[]}`}
	}
	if len(answers) > 1 {
		f.answers[r.Method+" "+path] = answers[1:]
	}
	var status int
	text := answers[0][3:]
	if _, err := fmt.Sscan(answers[0][:3], &status); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, strings.TrimSpace(text))
}

// steady hides what is random in a body.
func steady(body []byte) string {
	var m map[string]any
	if json.Unmarshal(body, &m) != nil || m["ciphertext"] == nil {
		return string(body)
	}
	m["ciphertext"] = fmt.Sprintf("(%d characters)", len(fmt.Sprint(m["ciphertext"])))
	text, err := json.Marshal(m)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (f *fake) drain() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen
	f.seen = nil
	return seen
}
