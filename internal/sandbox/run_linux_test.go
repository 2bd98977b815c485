package sandbox_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// freePort returns a port that nobody uses outside at the moment; without a network namespace it is taken there.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, l.Close()) }()
	return l.Addr().(*net.TCPAddr).Port
}

func TestCommand_Forward(t *testing.T) {
	s := newScene(t)
	socket := short(t, s, "proxy")
	s.serve(t, "unix", socket)
	o := s.options
	viaSocket, viaAddress, viaNothing := freePort(t), freePort(t), freePort(t)
	o.Forward = []sandbox.Forward{
		{Port: viaSocket, Socket: socket},
		{Port: viaAddress, Address: s.serve(t, "tcp", "127.0.0.1:0")},
		{Port: viaNothing, Address: fmt.Sprintf("127.0.0.1:%d", freePort(t))},
	}
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		for port, want := range map[int]bool{viaSocket: true, viaAddress: true, viaNothing: false} {
			got := s.insideWith(t, o, s.attack("tcp", fmt.Sprintf("%s:%d", host, port))...)
			if strings.Contains(got.out, s.secret) != want {
				t.Errorf("%s, port %d: answer is %v, want %v: %+v", host, port, !want, want, got)
			}
		}
	}
	o.Forward[0].Socket = filepath.Join(s.home, "gone")
	if got := s.insideWith(t, o, "true"); got.problem == nil {
		t.Error("a socket that does not exist is forwarded to")
	}
}

// A quarter of a gigabyte goes through in both directions, and its end is passed on.
func TestCommand_ForwardMuch(t *testing.T) {
	s := newScene(t)
	const size = 1 << 28
	l, err := net.Listen("unix", short(t, s, "proxy"))
	must(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(w, r.Body)
		w.Header().Set(http.TrailerPrefix+"Size", fmt.Sprint(n))
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	o := s.options
	o.Forward = []sandbox.Forward{{Port: 8080, Socket: l.Addr().String()}}
	got := s.insideWith(t, o, "python3", "-c", fmt.Sprintf(`
import socket, threading
s = socket.create_connection(("localhost", 8080))
n = %d
def send():
    s.sendall(b"POST / HTTP/1.0\r\nContent-Length: %%d\r\n\r\n" %% n)
    for _ in range(n >> 20): s.sendall(b"#" * (1 << 20))
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
got = 0
while True:
    b = s.recv(1 << 20)
    if not b: break
    got += b.count(b"#")
print(got)`, size))
	if strings.TrimSpace(got.out) != fmt.Sprint(size) {
		t.Errorf("got %+v", got)
	}
}

func TestCommand_Status(t *testing.T) {
	s := newScene(t)
	for script, want := range map[string]sandbox.Status{
		"true":               {},
		"exit 3":             {Code: 3},
		"exit 143":           {Code: 143},
		"exit 255":           {Code: 255},
		"kill -TERM $$":      {Signal: syscall.SIGTERM},
		"kill -KILL $$":      {Signal: syscall.SIGKILL},
		"kill -SEGV $$":      {Signal: syscall.SIGSEGV},
		"sleep 60 & :":       {}, // does not wait for it
		"(exit 7) & wait $!": {Code: 7},
	} {
		c, _, err := sandbox.Command(deadline(t), []string{"sh", "-c", script}, s.env(), s.options)
		must(t, err)
		got := runCommand(t, c)
		if got.problem != nil || got.status != want {
			t.Errorf("%s: ended with %+v, want %+v", script, got, want)
		}
		code := want.Code
		if want.Signal != 0 {
			code = 128 + int(want.Signal)
		}
		if c.ProcessState.ExitCode() != code {
			t.Errorf("%s: exit code %d, want %d", script, c.ProcessState.ExitCode(), code)
		}
	}
	bad := s.put(t, "src/project/bad", "#!/no/such/interpreter\n")
	must(t, os.Chmod(bad, 0o700))
	if got := s.inside(t, "./bad"); got.problem == nil || !strings.Contains(got.err, "executing") {
		t.Errorf("a program that cannot be executed: %+v", got)
	}
}

// startInside starts a script and waits until it prints a line.
func startInside(ctx context.Context, t *testing.T, s *scene, script string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	c, _, err := sandbox.Command(ctx, []string{"sh", "-c", script}, s.env(), s.options)
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return c, lines
}

func TestCommand_Signal(t *testing.T) {
	s := newScene(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1} {
		c, lines := startInside(deadline(t), t, s, fmt.Sprintf("trap 'echo got; exit 9' %d; echo ready; while :; do sleep 0.05; done", int(sig)))
		must(t, c.Process.Signal(sig))
		if line, err := lines.ReadString('\n'); line != "got\n" {
			t.Errorf("signal %d: %q, %v", int(sig), line, err)
		}
		_ = c.Wait()
		if got, err := sandbox.Ended(c); err != nil || got != (sandbox.Status{Code: 9}) {
			t.Errorf("signal %d: ended with %+v, %v", int(sig), got, err)
		}
	}
	ctx, cancel := context.WithCancel(deadline(t))
	c, lines := startInside(ctx, t, s, "(sleep 1000) & echo ready; sleep 1000")
	cancel()
	if _, err := lines.ReadString('\n'); !errors.Is(err, io.EOF) { // when all that hold the pipe are gone
		t.Error(err)
	}
	_ = c.Wait()
	if _, err := sandbox.Ended(c); err == nil {
		t.Error("a sandbox that was killed ended well")
	}
}

// All of the sandbox dies with the process that started it, however that ends.
func TestCommand_DiesWithParent(t *testing.T) {
	s := newScene(t)
	c := exec.CommandContext(deadline(t), s.self, actAs, "run", s.project, "sh", "-c", "(trap '' HUP TERM PWR; sleep 1000) & echo ready; sleep 1000")
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "ready\n" {
		t.Fatal(line, err)
	}
	must(t, c.Process.Kill())
	if _, err := lines.ReadString('\n'); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	_ = c.Wait()
}

// runInside is a program that runs another in the sandbox: args are the working directory and the other's argv.
func runInside(args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c, _, err := sandbox.Command(context.Background(), args[1:], os.Environ(), sandbox.Options{Dir: args[0], ReadOnly: []string{self}})
	if err != nil {
		return err
	}
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT) // the keyboard's is for the program, which decides what comes of it
	return c.Run()
}

func TestCommand_Reaps(t *testing.T) {
	s := newScene(t)
	got := s.inside(t, "sh", "-c", `
		for i in 1 2 3 4 5; do (sh -c 'true & exit' &) ; done
		for try in 1 2 3 4 5 6 7 8 9 10; do
			left=$(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l)
			[ $left = 0 ] && break
			sleep 0.1
		done
		echo $left`)
	if got.out != "0\n" {
		t.Errorf("zombies: %+v", got)
	}
}
