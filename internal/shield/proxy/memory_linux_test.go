package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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
		memory, environ := dump(cmd.Process.Pid)
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

// looks are what was seen in the memory of a program that waits for the end of an answer.
type looks struct {
	mu              sync.Mutex
	holders, values int
	times           int
}

// look looks through the memory and environment of the program and of all that it has started.
func (b *bench) look() {
	pid := <-b.pid
	b.pid <- pid
	b.looks.mu.Lock()
	defer b.looks.mu.Unlock()
	b.looks.times++
	for _, one := range family(pid) {
		memory, environ := dump(one)
		for _, text := range [][]byte{memory, environ} {
			b.looks.holders += bytes.Count(text, []byte(b.holder("TOKEN")))
			b.looks.values += bytes.Count(text, []byte(token))
		}
	}
}

// judge fails the test if the value was anywhere.
func (b *bench) judge() {
	b.looks.mu.Lock()
	defer b.looks.mu.Unlock()
	if b.looks.values > 0 {
		b.t.Error("the value is in the program")
	}
	if b.looks.times > 0 && b.looks.holders == 0 {
		b.t.Error("not even the placeholder is there: the look is worthless")
	}
}

// family lists a process and its descendants.
func family(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		if err != nil {
			panic(err) // the pattern is good
		}
		for _, path := range children {
			text, _ := os.ReadFile(path) // a process may have gone
			for _, field := range strings.Fields(string(text)) {
				if child, err := strconv.Atoi(field); err == nil {
					all = append(all, child)
				}
			}
		}
	}
	return all
}

// dump reads what of a process can be read.
func dump(pid int) (memory, environ []byte) {
	maps, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid)) // it may have gone
	environ, _ = os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, environ
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
