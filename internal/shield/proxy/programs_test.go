package proxy_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/testinstall"
)

// Real programs, unchanged, under the shield: the server gets the value; environment and output of the program have none.

// asProgram makes the test binary be one of the programs written in Go.
const asProgram = "ZVAULT_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if name := os.Getenv(asProgram); name != "" {
		if err := goPrograms[name](os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// site is a server that wants the value as a bearer token or a password, and reflects it.
func site(t testing.TB, answered ...func()) string {
	dir := t.TempDir()
	repository(t, filepath.Join(dir, "repo.git"))
	backend := &cgi.Handler{Path: gitBackend(t), Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"}}
	wheel := makeWheel(t)
	var address string
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		if r.Header.Get("Authorization") != "Bearer "+token && password != token {
			w.Header().Set("Www-Authenticate", `Basic realm="x"`)
			http.Error(w, "not the value", http.StatusUnauthorized)
			return
		}
		switch {
		case strings.HasPrefix(r.URL.Path, "/repo.git/"):
			backend.ServeHTTP(w, r)
		case r.URL.Path == "/a-package":
			fmt.Fprintf(w, `{"name":"a-package","dist-tags":{"latest":"1.2.3"},"versions":{"1.2.3":{"name":"a-package","version":"1.2.3","description":"welcome, %s","dist":{"tarball":"%s/t.tgz"}}}}`, token, address)
		case r.URL.Path == "/simple/a-package/":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<a href="/a_package-1.0-py3-none-any.whl">a_package-1.0-py3-none-any.whl</a>`)
		case strings.HasSuffix(r.URL.Path, ".whl"):
			_, _ = w.Write(wheel)
		case r.URL.Path == "/events":
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "event: greeting\ndata: welcome, %s\n\n", token)
		default:
			fmt.Fprintf(w, "welcome, %s", token)
		}
		_ = http.NewResponseController(w).Flush() // a program that has gone needs none
		for _, f := range answered {
			f()
		}
	})
	address = "https://" + host + ":" + port(t, s)
	return address
}

func gitBackend(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
}

func repository(t testing.TB, dir string) {
	t.Helper()
	script := `git init -q --bare -b main "$1" && git -C "$1" -c user.name=x -c user.email=x@example.com commit-tree -m first $(git -C "$1" mktree </dev/null) >"$1/id" && git -C "$1" update-ref refs/heads/main $(cat "$1/id") && git -C "$1" config http.receivepack true`
	cmd := exec.Command("sh", "-c", script, "sh", dir)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("making a repository: %v\n%s", err, out)
	}
}

// makeWheel makes the smallest package that pip takes.
func makeWheel(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"a_package.py":                     "",
		"a_package-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: a-package\nVersion: 1.0\n",
		"a_package-1.0.dist-info/WHEEL":    "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		"a_package-1.0.dist-info/RECORD":   "",
	} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// python is an interpreter with the libraries of the test.
func python(t testing.TB) string {
	t.Helper()
	return testinstall.Pip(t, "venv-shield-2", "requests==2.32.3", "httpx==0.28.1", "aiohttp==3.11.18")
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(library string) func(testing.TB) []string {
		return func(t testing.TB) []string {
			return []string{python(t), filepath.Join(here, "testdata/client.py"), library, "$URL/"}
		}
	}
	plain := func(args ...string) func(testing.TB) []string { return func(testing.TB) []string { return args } }
	const node = `fetch(process.argv[1], {headers: {Authorization: "Bearer " + process.env.TOKEN}}).then(r => r.text()).then(console.log)`
	const nodeHTTPS = `require("https").get(process.argv[1], {headers: {Authorization: "Bearer " + process.env.TOKEN}}, r => r.pipe(process.stdout))`
	for _, c := range []struct {
		name string
		args func(testing.TB) []string
		want string // in the output; $ stands for the placeholder
		env  []string
	}{
		{"curl", plain("sh", "-c", `curl -sS --fail -H "Authorization: Bearer $TOKEN" "$0"`, "$URL/"), "welcome, $", nil},
		{"curl, HTTP/1.1, login", plain("sh", "-c", `curl -sS --fail --http1.1 -u "me:$TOKEN" "$0"`, "$URL/"), "welcome, $", nil},
		{"curl, compressed", plain("sh", "-c", `curl -sS --fail --compressed -H "Authorization: Bearer $TOKEN" "$0"`, "$URL/"), "welcome, $", nil},
		{"curl, events", plain("sh", "-c", `curl -sSN --fail -H "Authorization: Bearer $TOKEN" "$0"`, "$URL/events"), "data: welcome, $", nil},
		{"wget", plain("sh", "-c", `wget -qO- --header "Authorization: Bearer $TOKEN" "$0"`, "$URL/"), "welcome, $", nil},
		{"git clone", plain("sh", "-c", `git clone -q "https://me:$TOKEN@${0#https://}/repo.git" . && git log --format=%s`, "$URL"), "first", []string{"GIT_TERMINAL_PROMPT=0"}},
		{"git push", plain("sh", "-c", `git clone -q "https://me:$TOKEN@${0#https://}/repo.git" . && git -c user.name=x -c user.email=x@example.com commit -q --allow-empty -m second && git push -q && git ls-remote origin | wc -l`, "$URL"), "2", []string{"GIT_TERMINAL_PROMPT=0"}},
		{"node fetch", plain("node", "-e", node, "$URL/"), "welcome, $", nil},
		{"node https", plain("node", "-e", nodeHTTPS, "$URL/"), "welcome, $", nil},
		{"npm", plain("sh", "-c", `printf '//%s/:_authToken=${TOKEN}\nregistry=%s\n' "${0#https://}" "$0" >.npmrc && npm view a-package description`, "$URL"), "welcome, $", nil},
		{"pip", func(t testing.TB) []string {
			return []string{"sh", "-c", `"$1" -m pip download -q --no-deps --no-cache-dir --index-url "https://me:$TOKEN@${0#https://}/simple" a-package && ls`, "$URL", python(t)}
		}, "a_package-1.0-py3-none-any.whl", []string{"PIP_CONFIG_FILE=" + os.DevNull, "PIP_DISABLE_PIP_VERSION_CHECK=1"}},
		{"urllib", ask("urllib"), "welcome, $", nil},
		{"requests", ask("requests"), "welcome, $", nil},
		{"httpx", ask("httpx"), "welcome, $", nil},
		{"aiohttp", ask("aiohttp"), "welcome, $", nil},
		{"java", plain("java", "-XX:TieredStopAtLevel=1", filepath.Join(here, "testdata/Client.java"), "$URL/"), "welcome, $", nil},
		{"go", plain(self, "$URL/"), "welcome, $", []string{asProgram + "=http"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, options{anyone: true})
			base := site(t, b.look)
			out := runProgram(t, b, c.args(t), base, c.env...)
			if want := strings.ReplaceAll(c.want, "$", b.holder("TOKEN")); !strings.Contains(out, want) {
				t.Errorf("it printed %q; want %q", out, want)
			}
			if lines := b.journal.lines(); len(lines) == 0 || !strings.HasPrefix(lines[0], "TOKEN in header:authorization: GET /") {
				t.Errorf("recorded %q", lines)
			}
		})
	}
}

// runProgram runs a program under the shield and returns what it prints, which holds no value in any form.
func runProgram(t testing.TB, b *bench, args []string, base string, extra ...string) string {
	t.Helper()
	for i := range args {
		args[i] = strings.Replace(args[i], "$URL", base, 1)
	}
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env, cmd.Dir = b.installed(extra...), t.TempDir()
	for _, entry := range cmd.Env {
		if strings.Contains(entry, token) {
			t.Fatal("the environment has the value")
		}
	}
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.pid <- cmd.Process.Pid
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: %v", args[0], err)
	}
	b.judge()
	out := printed.Bytes()
	if strings.Contains(string(out), token) || bytes.Contains(out, base64.StdEncoding.AppendEncode(nil, []byte(token))) {
		t.Error("it printed the value")
	}
	return string(out)
}

// goPrograms are clients in Go, each in a process of its own.
var goPrograms = map[string]func(address string) error{
	"http": func(address string) error {
		r, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(os.Stdout, answer.Body)
		return errors.Join(err, answer.Body.Close())
	},
	"grpc":      grpcProgram,
	"websocket": websocketProgram,
	// asks, and waits to be looked at.
	"waiting": func(address string) error {
		r, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", body)
		_, err = bufio.NewReader(os.Stdin).ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	},
}

// A 1 GB download and upload need no more memory than small ones. It runs alone, as it looks at the memory of all.
func TestPrograms_Gigabyte(t *testing.T) {
	const size = 1 << 30
	received := make(chan int64, 1)
	chunk := randomText(1 << 20)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Length", fmt.Sprint(size))
			for range size / len(chunk) {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		received <- n
	})
	base := "https://" + host + ":" + port(t, s) + "/"
	b := newBench(t, options{})
	file := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
	watch, stop := context.WithCancel(t.Context())
	peak := heapPeak(watch)
	out := runProgram(t, b, []string{"sh", "-c", `curl -sS --fail -H "Authorization: Bearer $TOKEN" -o /dev/null -w '%{size_download}' "$0"; echo; curl -sS --fail -H "Authorization: Bearer $TOKEN" -H Expect: -T "$1" "$0"`, "$URL", file}, base)
	stop()
	if want := fmt.Sprintln(size); out != want {
		t.Errorf("curl printed %q; want %q", out, want)
	}
	if n := <-received; n != size {
		t.Errorf("the server got %d bytes", n)
	}
	const most = 100 << 20
	if n := <-peak; n > most {
		t.Errorf("the heap grew to %d MiB", n>>20)
	}
}
