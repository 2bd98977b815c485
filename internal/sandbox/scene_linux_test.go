package sandbox_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// scene is a home with secrets, a project in it, and what a user runs beside.
type scene struct {
	home, project, vault string
	secret               string // in every secret file, in the victim, and in the answers of services
	self                 string
	victim, shm          string // where the victim keeps it
	victimFile           string
	options              sandbox.Options
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{secret: "s3cr3t-of-" + strings.ReplaceAll(t.Name(), "/", "-")}
	var err error
	if s.self, err = os.Executable(); err != nil {
		t.Fatal(err)
	}
	if s.home, err = filepath.EvalSymlinks(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	s.project, s.vault = filepath.Join(s.home, "src", "project"), filepath.Join(s.home, ".zvault")
	for _, f := range []string{
		".zvault/key", ".zvault/db/vault.db", ".aws/credentials", ".ssh/id_ed25519", ".netrc", ".config/gh/hosts.yml", ".docker/config.json",
		".bash_history", "src/project/.env", "src/project/sub/deep/.env.local", "src/project/main.go", "src/other/notes",
	} {
		s.put(t, f)
	}
	s.put(t, "src/project/.env.example", "KEY=example")
	s.options = sandbox.Options{
		Dir: s.project, Hide: append(sandbox.Credentials(s.home, func(string) string { return "" }), s.vault), HideFiles: sandbox.EnvFiles(),
		// The home lies in /tmp, which would be empty altogether.
		ReadOnly: []string{s.self, s.home},
	}
	return s
}

// put writes a file below home, with the secret if no text is given.
func (s *scene) put(t *testing.T, name string, text ...string) string {
	t.Helper()
	p := filepath.Join(s.home, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	body := strings.Join(text, "\n")
	if len(text) == 0 {
		body = "TOKEN=" + s.secret + "\n"
	}
	if err := os.WriteFile(p, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// startVictim starts a process of the same user that holds the secret.
func (s *scene) startVictim(t *testing.T) {
	t.Helper()
	s.victimFile = filepath.Join(s.vault, "key")
	c := exec.Command(s.self, actAs, "victim", s.secret, s.victimFile)
	c.Env = append(os.Environ(), "VICTIM_SECRET="+s.secret)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err != nil {
			t.Error("victim:", err)
		}
	})
	lines := bufio.NewReader(out)
	for _, line := range []*string{&s.victim, &s.shm} {
		text, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		*line = strings.TrimSpace(text)
	}
}

// serve answers every connection with the secret, in a line.
func (s *scene) serve(t *testing.T, network, address string) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := bufio.NewReader(c).ReadString('\n'); err == nil {
					_, _ = io.WriteString(c, s.secret+"\n")
				}
			}()
		}
	}()
	return l.Addr().String()
}

func (s *scene) serveUDP(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			_, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo([]byte(s.secret+"\n"), from)
		}
	}()
	return c.LocalAddr().String()
}

// outcome is what a program printed and how it ended.
type outcome struct {
	out, err string
	status   sandbox.Status
	problem  error
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// inside runs a program in the sandbox, outside without.
func (s *scene) inside(t *testing.T, argv ...string) outcome {
	t.Helper()
	return s.insideWith(t, s.options, argv...)
}

func (s *scene) insideWith(t *testing.T, o sandbox.Options, argv ...string) outcome {
	t.Helper()
	c, _, err := sandbox.Command(deadline(t), argv, s.env(), o)
	if err != nil {
		t.Fatal(err)
	}
	return runCommand(t, c)
}

func runCommand(t *testing.T, c *exec.Cmd) outcome {
	t.Helper()
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	status, problem := sandbox.Ended(c)
	return outcome{out.String(), errs.String(), status, problem}
}

func (s *scene) outside(t *testing.T, argv ...string) string {
	t.Helper()
	c := exec.CommandContext(deadline(t), argv[0], argv[1:]...)
	c.Dir, c.Env = s.project, s.env()
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return string(out) + "\n" + err.Error() + "\n" + errs.String()
	}
	return string(out)
}

func (s *scene) env() []string {
	return append(os.Environ(), "HOME="+s.home, "GOTRACEBACK=none")
}

// attack is the command line of an attack.
func (s *scene) attack(part string, args ...string) []string {
	return append([]string{s.self, actAs, part}, args...)
}

// must fails the test if a file operation failed.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
