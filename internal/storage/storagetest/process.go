package storagetest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// childEnv tells a test binary that it is a child: which part to play and in which folder.
const childEnv = "ZVAULT_STORAGETEST_CHILD"

// role returns the part that this process plays and its folder; both are empty in the process that go test started.
func role() (part, dir string) {
	part, dir, _ = strings.Cut(os.Getenv(childEnv), ":")
	return part, dir
}

// process is the test binary once more, running only the top-level test that started it.
type process struct {
	cmd *exec.Cmd
	out *bufio.Scanner   // its lines for us
	log *strings.Builder // all else
}

// linePrefix marks the lines that a child prints for its parent among those of the testing package.
const linePrefix = "\x1ezvault "

// say prints a line for the parent.
func say(text string) { fmt.Fprintf(os.Stdout, "%s%s\n", linePrefix, text) }

// child prepares a child of t's top-level test to play a part.
func child(t *testing.T, part, dir string) *process {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	top, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.Command(binary, "-test.run=^"+top+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"="+part+":"+dir)
	p := &process{cmd: cmd, log: new(strings.Builder)}
	cmd.Stderr = p.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	return p
}

// start starts the child; when the test ends, it is gone.
func (p *process) start(t *testing.T) {
	t.Helper()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
}

// line returns the next line that the child said, or false after the last.
func (p *process) line() (string, bool) {
	for p.out.Scan() {
		if text, ok := strings.CutPrefix(p.out.Text(), linePrefix); ok {
			return text, true
		}
		fmt.Fprintln(p.log, p.out.Text())
	}
	return "", false
}

// passed waits for the child to end and requires that its test ran and passed.
func (p *process) passed(t *testing.T) {
	t.Helper()
	said := 0
	for text, ok := p.line(); ok; text, ok = p.line() {
		if text == "done" {
			said++
		}
	}
	if err := p.cmd.Wait(); err != nil || said != 1 {
		t.Fatalf("child process: %v, said done %d times\n%s", err, said, p.log)
	}
}
