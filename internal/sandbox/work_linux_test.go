package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// What people do all day goes on.
func TestCommand_Work(t *testing.T) {
	s := newScene(t)
	s.put(t, "src/project/go.mod", "module example.test/hello\n\ngo 1.26\n")
	s.put(t, "src/project/main.go", "package main\n\nimport (\"fmt\"; \"os\")\n\nfunc main() { fmt.Println(\"hello\", len(os.Args)) }\n")
	s.put(t, "src/project/.gitignore", ".env\n.env.*\n")
	cache := filepath.Join(s.home, ".cache")
	must(t, os.Mkdir(cache, 0o755))
	o := s.options
	o.ReadWrite = []string{cache}
	goRoot := goRoot(t)
	work := map[string]string{
		"write in the working directory": "echo one > a && mkdir b && mv a b/c && ln -s c b/d && cat b/d && rm -r b",
		"write in /tmp":                  "f=$(mktemp) && echo one > $f && cat $f && rm $f",
		"devices":                        "echo x > /dev/null && head -c 4 /dev/urandom | wc -c && cat /dev/stdin </dev/null",
		"pipes and job":                  "seq 1000 | sort -rn | head -1 | grep 1000",
		"git":                            "git init -q . && git add -A && git -c user.name=a -c user.email=a@b.test commit -qm one && git log --oneline | grep one && ! git ls-files | grep '^.env$'",
		"go":                             "GOCACHE=" + cache + "/go CGO_ENABLED=0 GOTOOLCHAIN=local GOPROXY=off " + goRoot + "/bin/go build -o hello . && ./hello | grep 'hello 1'",
		"python":                         "python3 -c 'import tempfile, subprocess, multiprocessing as m; print(subprocess.check_output([\"echo\", \"hi\"])); p = m.Pool(2); print(sum(p.map(abs, [1, -2])))'",
		"python pty":                     "python3 -c 'import pty, sys; sys.exit(pty.spawn([\"sh\", \"-c\", \"test -t 0\"]))'",
		"sample stays readable":          "grep example .env.example",
		"loopback of its own":            `python3 -c 'import socket; l=socket.create_server(("127.0.0.1", 0)); c=socket.create_connection(l.getsockname())'`,
		"unix sockets of its own":        `cd /tmp && python3 -c 'import socket; l=socket.socket(socket.AF_UNIX); l.bind("s"); l.listen(); socket.socket(socket.AF_UNIX).connect("s")'`,
		"threads and forks":              "for i in 1 2 3 4 5 6 7 8; do (sleep 0.01) & done; wait",
	}
	if _, err := exec.LookPath("node"); err == nil {
		work["node"] = `node -e 'const cp = require("child_process"), fs = require("fs"); fs.promises.writeFile("n", "1").then(() => console.log(cp.execSync("cat n").toString()))'`
	}
	if slices.Contains(lacks(), sandbox.LayerMount) {
		// As the report says, sockets are closed then, and there are no new terminals; ports need a forward.
		for _, name := range []string{"unix sockets of its own", "loopback of its own", "python pty"} {
			delete(work, name)
		}
		// New files cannot be made in a folder in which something is closed, as this test's home is in /tmp.
		for name, script := range work {
			work[name] = "export TMPDIR=" + cache + "; " + script
		}
		// A .env cannot be hidden.
		work["git"] = strings.TrimSuffix(work["git"], " && ! git ls-files | grep '^.env$'")
	}
	for name, script := range work {
		t.Run(name, func(t *testing.T) {
			if got := s.insideWith(t, o, "sh", "-ec", script); got.status != (sandbox.Status{}) || got.problem != nil {
				t.Errorf("%+v", got)
			}
		})
	}
}

func goRoot(t *testing.T) string {
	t.Helper()
	c := exec.Command("go", "env", "GOROOT")
	c.Env = append(os.Environ(), "HOME=/tmp", "GOTOOLCHAIN=local")
	out, err := c.Output()
	must(t, err)
	return strings.TrimSpace(string(out))
}

// What is written is written outside too, and nothing else is.
func TestCommand_Writes(t *testing.T) {
	s := newScene(t)
	o := s.options
	o.ReadWrite = []string{filepath.Join(s.home, "src", "other")}
	got := s.insideWith(t, o, "sh", "-c", "echo new > made; echo more >> ../other/notes; echo x > /tmp/elsewhere-"+filepath.Base(s.home)+"; echo x > ../../top; echo x > .env; true")
	for name, want := range map[string]string{
		"src/project/made": "new\n", "src/other/notes": "TOKEN=" + s.secret + "\nmore\n", "top": "", "src/project/.env": "TOKEN=" + s.secret + "\n",
		"../../elsewhere-" + filepath.Base(s.home): "",
	} {
		text, err := os.ReadFile(filepath.Join(s.home, name))
		if string(text) != want || want == "" && err == nil {
			t.Errorf("%s holds %q, want %q (%v, %+v)", name, text, want, err, got)
		}
	}
}

// The longest path decides, and a file in a hidden folder can be given back.
func TestCommand_Exceptions(t *testing.T) {
	s := newScene(t)
	known := s.put(t, ".ssh/known_hosts", "host key\n")
	socket := short(t, s, ".ssh/agent")
	s.serve(t, "unix", socket)
	o := s.options
	o.ReadOnly = append(slices.Clone(o.ReadOnly), known)
	o.ReadWrite = []string{socket}
	got := s.insideWith(t, o, "sh", "-c", "cat "+known+"; ls -A "+filepath.Dir(known)+"; touch "+known+".new && echo written; echo x >> "+known+" && echo written")
	if got.out != "host key\nagent\nknown_hosts\n" {
		t.Errorf("got %+v", got)
	}
	if got := s.insideWith(t, o, s.attack("unix", socket)...); !strings.Contains(got.out, s.secret) {
		t.Errorf("the allowed socket is closed: %+v", got)
	}
}
