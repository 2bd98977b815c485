package dotenv_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// realReader reads with the code that compose, docker and Kubernetes read with themselves: a program in testdata/readers, a
// module of its own so that nothing of theirs comes near the product.
func realReader(dialect string) func(*testing.T) reader {
	return func(t *testing.T) reader {
		program := filepath.Join(t.TempDir(), dialect)
		build := exec.Command("go", "build", "-o", program, ".")
		build.Dir = filepath.Join("testdata", "readers")
		build.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building the readers: %v\n%s", err, out)
		}
		cmd := exec.Command(program)
		cmd.Stderr = os.Stderr
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
		t.Cleanup(func() {
			if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
				t.Errorf("the readers: %v", err)
			}
		})
		ask, answers := json.NewEncoder(in), bufio.NewReader(out)
		return func(t *testing.T, file []byte) map[string]string {
			t.Helper()
			if err := ask.Encode(map[string]any{"dialect": dialect, "src": file}); err != nil {
				t.Fatal(err)
			}
			line, err := answers.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			var a struct {
				Values map[string][]byte
				Error  string
			}
			if err := json.Unmarshal(line, &a); err != nil {
				t.Fatal(err)
			}
			if a.Error != "" {
				t.Logf("%s: %s", dialect, a.Error)
				return nil
			}
			all := map[string]string{}
			for name, v := range a.Values {
				all[name] = string(v)
			}
			return all
		}
	}
}
