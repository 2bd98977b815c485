package inside

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
)

const (
	maxDepth = 100
	// maxRead limits, in bytes, what is read of one file below /proc: the longest that Linux lets a program be started with.
	maxRead = 6 << 20
)

// Ancestors returns what this process descends from, the parent first, from /proc (proc(5)). Where that cannot be read, the
// chain ends.
func Ancestors() []Process {
	var chain []Process
	for pid := os.Getppid(); pid > 0 && len(chain) < maxDepth; {
		dir := "/proc/" + strconv.Itoa(pid)
		name, parent, ok := stat(read(dir + "/stat"))
		if !ok {
			return chain
		}
		chain = append(chain, Process{pid, name, fields(read(dir + "/cmdline")), fields(read(dir + "/environ"))})
		pid = parent
	}
	return chain
}

// stat takes name and parent from "PID (NAME) STATE PARENT …". The name may hold anything, parentheses too.
func stat(line []byte) (name string, parent int, ok bool) {
	from, to := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if from < 0 || to < from {
		return "", 0, false
	}
	rest := strings.Fields(string(line[to+1:]))
	if len(rest) < 2 {
		return "", 0, false
	}
	parent, err := strconv.Atoi(rest[1])
	return string(line[from+1 : to]), parent, err == nil
}

// fields splits what is ended by zeros.
func fields(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

// read returns a file, or nothing if it cannot be read: another user's environment, say.
func read(file string) []byte {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // only read from
	b, err := io.ReadAll(io.LimitReader(f, maxRead))
	if err != nil {
		return nil
	}
	return b
}
