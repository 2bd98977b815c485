//go:build unix

package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/ArcadeLabsInc/zvault/internal/runner"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// role makes the test binary play zvault: exec or stay replace or keep this process, mask stays and masks.
const role = "RUNNER_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		// A signal that this process ignores, as under nohup, would be ignored by every program that it starts. One that it
		// catches has its default meaning there.
		for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGQUIT} {
			if signal.Ignored(sig) {
				signal.Notify(make(chan os.Signal, 1), sig)
			}
		}
		os.Exit(m.Run())
	case "exec":
		exit(runner.Exec(command()))
	case "stay", "mask":
		c := command()
		if os.Getenv(role) == "mask" {
			c.Mask = func(w io.Writer) runner.Masker { return &upper{w: w} }
		}
		status, err := runner.Run(context.Background(), c)
		exit(err)
		runner.Die(status)
	}
}

func command() *runner.Command {
	env := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, role+"=") })
	return &runner.Command{Args: os.Args[1:], Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
}

func exit(err error) {
	var start *runner.StartError
	switch {
	case errors.As(err, &start):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(start.Status)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
}

// upper masks by writing capitals.
type upper struct{ w io.Writer }

func (u *upper) Write(b []byte) (int, error) { return u.w.Write(bytes.ToUpper(b)) }
func (u *upper) Flush() error                { return nil }
func (u *upper) Close() error                { return nil }

func as(t *testing.T, what string, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), role+"="+what)
	return cmd
}

var roles = []string{"exec", "stay", "mask"}

// The exit code, or the signal it died of, is the program's.
func TestStatus(t *testing.T) {
	t.Parallel()
	for _, what := range roles {
		for _, code := range []int{0, 1, 2, 7, 126, 127, 128, 200, 255} {
			err := as(t, what, "sh", "-c", fmt.Sprint("exit ", code)).Run()
			var failed *exec.ExitError
			got := 0
			if errors.As(err, &failed) {
				got = failed.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if got != code {
				t.Errorf("%s: exit %d became %d", what, code, got)
			}
		}
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGSEGV, syscall.SIGINT, syscall.SIGHUP} {
			err := as(t, what, "sh", "-c", fmt.Sprintf("ulimit -c 0; kill -%d $$", sig)).Run()
			var failed *exec.ExitError
			if !errors.As(err, &failed) {
				t.Fatalf("%s: %v", what, err)
			}
			ws, ok := failed.Sys().(syscall.WaitStatus)
			if !ok || !ws.Signaled() || ws.Signal() != sig {
				t.Errorf("%s: death by %v became %v", what, sig, failed)
			}
		}
	}
}

func TestStart_Failures(t *testing.T) {
	t.Parallel()
	plain := t.TempDir() + "/plain"
	if err := os.WriteFile(plain, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, what := range roles {
		for program, want := range map[string]int{"no-such-program-here": 127, "/no/such/path": 127, plain: 126, t.TempDir(): 126} {
			err := as(t, what, program).Run()
			var failed *exec.ExitError
			if !errors.As(err, &failed) || failed.ExitCode() != want {
				t.Errorf("%s of %s: %v; want status %d", what, program, err, want)
			}
		}
	}
}

// Signals sent to us reach the program.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, what := range roles {
		for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGINT} {
			cmd := as(t, what, "sh", "-c", `trap 'echo got; exit 5' TERM HUP USR1 USR2 INT; echo ready; while :; do sleep 0.02; done`)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(out)
			if err != nil {
				t.Fatal(err)
			}
			var failed *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &failed) || failed.ExitCode() != 5 || !strings.EqualFold(strings.TrimSpace(string(rest)), "got") {
				t.Errorf("%s: %v: %v, printed %q", what, sig, err, rest)
			}
		}
	}
}

// stdin, stdout and stderr are the program's own; a megabyte passes unchanged.
func TestStreams(t *testing.T) {
	t.Parallel()
	for _, what := range roles {
		cmd := as(t, what, "sh", "-c", "cat; echo done >&2")
		input := bytes.Repeat([]byte("0123456789ABCDE\n"), 1<<16)
		var out, complaint bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &complaint
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), input) || !strings.EqualFold(complaint.String(), "done\n") {
			t.Errorf("%s: %d bytes came out, and %q", what, out.Len(), complaint.String())
		}
	}
}

// A program whose output nobody reads ends, and so do we.
func TestStreams_Broken(t *testing.T) {
	t.Parallel()
	for _, what := range roles {
		cmd := as(t, what, "sh", "-c", "yes || true")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: it never ends", what)
		}
	}
}

// The program sees a terminal, of our size, also when what it prints is masked; Ctrl-C reaches it.
func TestTerminal(t *testing.T) {
	t.Parallel()
	for _, what := range roles {
		cmd := as(t, what, "sh", "-c", `trap 'echo stopped; exit 3' INT; test -t 0 && test -t 1 && echo tty; stty size; while :; do sleep 0.02; done`)
		tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 33, Cols: 77})
		if err != nil {
			t.Fatal(err)
		}
		seen := readUntil(t, tty, "33 77")
		if !strings.Contains(strings.ToLower(seen), "tty") {
			t.Errorf("%s: the program sees no terminal: %q", what, seen)
		}
		if _, err := tty.Write([]byte{3}); err != nil {
			t.Fatal(err)
		}
		readUntil(t, tty, "stopped")
		var failed *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &failed) || failed.ExitCode() != 3 {
			t.Errorf("%s: after Ctrl-C: %v", what, err)
		}
		if err := tty.Close(); err != nil {
			t.Error(err)
		}
	}
}

func readUntil(t *testing.T, r io.Reader, text string) string {
	t.Helper()
	var seen strings.Builder
	b := make([]byte, 1024)
	for !strings.Contains(strings.ToLower(seen.String()), text) {
		n, err := r.Read(b)
		seen.Write(b[:n])
		if err != nil {
			t.Fatalf("%q never came, but %q: %v", text, seen.String(), err)
		}
	}
	return seen.String()
}

// No descriptor of ours is left open in the program.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	const list = "ls /dev/fd/ | tr '\n' ' '"
	want, err := exec.Command("sh", "-c", list).Output() // what this test has inherited itself may be there
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range roles {
		out, err := as(t, what, "sh", "-c", list).Output()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out, want) {
			t.Errorf("%s: the program has descriptors %s; want %s", what, out, want)
		}
	}
}

// Values reach the program byte for byte.
func TestEnvironment_Exact(t *testing.T) {
	t.Parallel()
	values := map[string]string{"ODD": "a=b\n\xff'\"\\$`x ", "EMPTY": "", "LONG": strings.Repeat("x", 100_000)}
	var variables []runner.Variable
	for name, v := range values {
		variables = append(variables, runner.Variable{Name: name, Value: secret.Of(v)})
	}
	env, err := runner.Environment([]string{"PATH=" + os.Getenv("PATH"), "ODD=other", "KEPT=1", "KEPT=2"}, variables)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(r) // what is missing then shows below
		read <- b
	}()
	status, err := runner.Run(t.Context(), &runner.Command{Args: []string{"env", "-0"}, Env: env, Stdout: w, Stderr: os.Stderr})
	if err != nil || status.ExitCode() != 0 {
		t.Fatalf("%+v, %v", status, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(string(<-read), "\x00"), "\x00")
	for name, v := range values {
		if !slices.Contains(got, name+"="+v) {
			t.Errorf("%s is not what it was", name)
		}
	}
	if len(got) != 5 || !slices.Contains(got, "KEPT=2") {
		t.Errorf("%d variables", len(got))
	}
}

func TestEnvironment_Refusals(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]string{"": "x", "A=B": "x", "NUL\x00": "x", "VALUE": "hunter2\x00", "HUGE": "hunter2" + strings.Repeat("x", 1<<18)} {
		_, err := runner.Environment(nil, []runner.Variable{{Name: name, Value: secret.Of(v)}})
		if name == "HUGE" && err == nil && !isLinux {
			continue
		}
		if !errors.Is(err, runner.ErrEnvironment) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A new environment ends the program and starts it again with that.
func TestRestart(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	restart := make(chan []string)
	path := "PATH=" + os.Getenv("PATH")
	done := make(chan runner.Status, 1)
	go func() {
		status, err := runner.Run(context.Background(), &runner.Command{
			Args: []string{"sh", "-c", `echo "value $V"; test "$V" = 2 && exit 4; while :; do sleep 0.02; done`}, Env: []string{path, "V=1"}, Stdout: w, Restart: restart,
		})
		if err != nil {
			t.Error(err)
		}
		done <- status
	}()
	readUntil(t, r, "value 1")
	restart <- []string{path, "V=2"}
	readUntil(t, r, "value 2")
	if status := <-done; status.Code != 4 {
		t.Errorf("it ended with %+v", status)
	}
}
