package sandbox_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// console is a terminal that a program runs in, and what it has shown.
type console struct {
	t     *testing.T
	tty   *os.File
	shown chan []byte
	all   bytes.Buffer
}

func openConsole(t *testing.T, c *exec.Cmd) *console {
	t.Helper()
	tty, err := pty.Start(c)
	must(t, err)
	t.Cleanup(func() { _ = tty.Close() })
	k := &console{t: t, tty: tty, shown: make(chan []byte, 100)}
	go func() {
		defer close(k.shown)
		for {
			b := make([]byte, 4096)
			n, err := tty.Read(b)
			if err != nil {
				return
			}
			k.shown <- b[:n]
		}
	}()
	return k
}

// keys types, and waits until the text has been shown since the last wait.
func (k *console) keys(keys, until string) string {
	k.t.Helper()
	if _, err := k.tty.WriteString(keys); err != nil {
		k.t.Fatal(err)
	}
	limit := time.After(20 * time.Second)
	for !strings.Contains(k.all.String(), until) {
		select {
		case b, ok := <-k.shown:
			if !ok {
				k.t.Fatalf("it ended; shown: %q, want %q", k.all.String(), until)
			}
			k.all.Write(b)
		case <-limit:
			k.t.Fatalf("shown: %q, want %q", k.all.String(), until)
		}
	}
	text := k.all.String()
	k.all.Reset()
	return text
}

// foreground is the process group that the terminal's keys reach.
func (k *console) foreground() int {
	k.t.Helper()
	group, err := unix.IoctlGetInt(int(k.tty.Fd()), unix.TIOCGPGRP)
	must(k.t, err)
	return group
}

// job types a command of the shell, and waits until its text is shown and the keys reach it: what it shows may come from the
// shell, before that.
func (k *console) job(command, until string) {
	k.t.Helper()
	shell := k.foreground()
	k.keys(command, until)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(20 * time.Second); k.foreground() == shell; <-tick.C {
		if time.Now().After(limit) {
			k.t.Fatalf("%q is not in the foreground", command)
		}
	}
}

// A shell with job control, in a terminal of its own.
func TestCommand_Terminal(t *testing.T) {
	s := newScene(t)
	c, _, err := sandbox.Command(deadline(t), []string{"bash", "--norc", "-i"}, append(s.env(), "PS1=> "), s.options)
	must(t, err)
	k := openConsole(t, c)
	if text := k.keys("", "> "); strings.Contains(text, "job control") {
		t.Errorf("the shell says %q", text)
	}
	jobs(k)
	k.keys("exit 5\n", "exit")
	_ = c.Wait()
	if got, err := sandbox.Ended(c); err != nil || got.Code != 5 {
		t.Errorf("ended with %+v, %v", got, err)
	}
}

// jobs stops a job, continues it, interrupts it, and looks at its size.
func jobs(k *console) {
	k.job("echo rea''dy; sleep 100\n", "ready\r\n")
	k.keys("\x1a", "Stopped")
	k.job("fg\n", "sleep 100\r\n")
	k.keys("\x03", "> ")
	k.keys("echo status-$?\n", "status-130")
	must(k.t, pty.Setsize(k.tty, &pty.Winsize{Rows: 33, Cols: 77}))
	k.keys("stty size\n", "33 77")
}

// In the terminal of a shell outside, the program is a job of that shell.
func TestCommand_JobOfShell(t *testing.T) {
	s := newScene(t)
	c := exec.CommandContext(deadline(t), "bash", "--norc", "-i")
	c.Env, c.Dir = append(s.env(), "PS1=> "), s.project
	k := openConsole(t, c)
	k.keys("", "> ")
	run := s.self + " " + actAs + " run " + s.project + " "
	k.job(run+"sh -c 'trap \"echo inter''rupted; exit 7\" INT; echo rea''dy; while :; do sleep 0.05; done'\n", "ready\r\n")
	k.keys("\x1a", "Stopped")
	k.keys("echo alive-$((1+1))\n", "alive-2")
	k.job("fg\n", "while")
	if n := strings.Count(k.keys("\x03", "interrupted"), "interrupted"); n != 1 {
		t.Errorf("interrupted %d times", n)
	}
	k.keys("\necho again-$((1+1))\n", "again-2")
	k.keys("exit\n", "exit")
	_ = c.Wait()
}

// A program with a terminal of its own that stops itself is not left stopped, as nobody could continue it.
func TestCommand_StopsInOwnSession(t *testing.T) {
	s := newScene(t)
	c, _, err := sandbox.Command(deadline(t), []string{"sh", "-c", "echo rea''dy; kill -TSTP $$; echo aft''er; read x"}, s.env(), s.options)
	must(t, err)
	k := openConsole(t, c)
	k.keys("", "after")
	k.keys("\n", "")
	_ = c.Wait()
}

func TestCommand_TypesIntoTerminal(t *testing.T) {
	s := newScene(t)
	argv := s.attack("type")
	c, _, err := sandbox.Command(deadline(t), argv, s.env(), s.options)
	must(t, err)
	openConsole(t, c).keys("", syscall.EPERM.Error())
	_ = c.Wait()
	control := exec.CommandContext(deadline(t), argv[0], argv[1:]...)
	want := "typed: " + token
	if setting, err := os.ReadFile("/proc/sys/dev/tty/legacy_tiocsti"); err == nil && strings.TrimSpace(string(setting)) == "0" {
		want = syscall.EIO.Error() // this kernel refuses it to everyone, with another error than the filter's
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	openConsole(t, control).keys("", want)
	_ = control.Wait()
}
