package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A program that has used a secret has it nowhere: not in its environment, not in its memory, not in its files.
func TestPrograms_Memory(t *testing.T) {
	t.Parallel()
	b := newBench(t, options{anyone: true})
	base := site(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const python = `import os,sys,urllib.request as u
print(u.urlopen(u.Request(sys.argv[1],headers={"Authorization":"Bearer "+os.environ["TOKEN"]})).read().decode(),flush=True)
sys.stdin.readline()`
	for name, args := range map[string][]string{"go": {self, base + "/"}, "python": {"python3", "-c", python, base + "/"}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = b.installed(asProgram + "=waiting")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if want := "welcome, " + b.holder("TOKEN") + "\n"; line != want {
			t.Errorf("%s: %q, %v; want %q", name, line, err, want)
		}
		memory, environ := dump(t, cmd.Process.Pid)
		if !bytes.Contains(memory, []byte(b.holder("TOKEN"))) || !bytes.Contains(environ, []byte(b.holder("TOKEN"))) {
			t.Errorf("%s: not even the placeholder is there: the look is worthless", name)
		}
		if bytes.Contains(memory, []byte(token)) || bytes.Contains(environ, []byte(token)) {
			t.Errorf("%s: the value is in the program", name)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// dump reads what of a process can be read.
func dump(t *testing.T, pid int) (memory, environ []byte) {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	environ, err = os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || mode[0] != 'r' || mode[1] != 'w' || to-from > 256<<20 {
			continue
		}
		piece := make([]byte, to-from)
		n, _ := mem.ReadAt(piece, from) // what cannot be read is not there
		memory = append(memory, piece[:n]...)
	}
	return memory, environ
}
