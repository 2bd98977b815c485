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

	"github.com/ArcadeLabsInc/zvault/internal/testinstall"
)

// oracle is a node process with the real packages.
type oracle struct {
	mu  sync.Mutex
	in  *json.Encoder
	out *bufio.Reader
}

// packages are the reference, as the registry had them when they were last compared.
var packages = []string{"dotenv@18.0.10", "dotenv-expand@13.0.0"}

func startOracle(t testing.TB) *oracle {
	t.Helper()
	dir := testinstall.NPM(t, "npm-dotenv-18.0.10", packages...)
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
