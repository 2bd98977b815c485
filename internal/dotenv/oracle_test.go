package dotenv_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// oracle is a node process with the real packages.
type oracle struct {
	mu  sync.Mutex
	in  *json.Encoder
	out *bufio.Reader
}

// packages are the reference, as the registry had them when they were last compared.
var packages = []string{"dotenv@18.0.10", "dotenv-expand@13.0.0"}

// cacheDir makes a folder of the user's cache, which outlives the test.
func cacheDir(t testing.TB, name string) string {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(base, "zvault-test", name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// installed runs an installation once; the marker says that it was completed.
func installed(t testing.TB, dir string, install *exec.Cmd) {
	t.Helper()
	marker := filepath.Join(dir, ".complete")
	if _, err := os.Stat(marker); err == nil {
		return
	}
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("installing for the test: %v\n%s", err, out)
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func startOracle(t testing.TB) *oracle {
	t.Helper()
	dir := cacheDir(t, "npm-dotenv-18.0.10")
	args := append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", "."}, packages...)
	installed(t, dir, exec.Command("npm", args...))
	script, err := filepath.Abs("testdata/oracle.cjs")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", script)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(dir, "node_modules"))
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
		t.Fatalf("node is needed for this test: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	return &oracle{in: json.NewEncoder(in), out: bufio.NewReader(out)}
}

// ask returns the pairs that the real reader finds in a file.
func (o *oracle) ask(t testing.TB, op string, src []byte) map[string]string {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.in.Encode(map[string]string{"op": op, "src": base64.StdEncoding.EncodeToString(src)}); err != nil {
		t.Fatal(err)
	}
	line, err := o.out.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	var pairs [][2]string
	if err := json.Unmarshal(line, &pairs); err != nil {
		t.Fatalf("node answered %q: %v", line, err)
	}
	all := map[string]string{}
	for _, p := range pairs {
		all[p[0]] = p[1]
	}
	return all
}
