package cli

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// asMain makes the test binary be zvault.
const asMain = "ZVAULT_TEST_AS_MAIN"

// onOneThread, as the value of asMain, makes all that the command's own goroutine does happen on one thread.
const onOneThread = "one thread"

// vault is a home that real processes work on.
type vault struct {
	home, binary string
}

func newVault(t *testing.T) vault {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	v := vault{home: filepath.Join(t.TempDir(), "home"), binary: binary}
	v.must(t, "", "init", "--seal", "keyfile")
	v.must(t, "", "project", "create", "app")
	return v
}

func (v vault) command(stdin string, args ...string) *exec.Cmd {
	cmd := exec.Command(v.binary, args...)
	cmd.Env = []string{asMain + "=1", "ZVAULT_HOME=" + v.home, "ZVAULT_PROJECT=app", "USER=tester", "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}
	cmd.Stdin = strings.NewReader(stdin)
	return cmd
}

func (v vault) must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := v.command(stdin, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		t.Fatalf("zvault %s: %v\n%s", strings.Join(args, " "), err, complaint.String())
	}
	return out.String()
}

// soak is how often a test repeats: n, or as many times more as ZVAULT_SOAK says.
func soak(n int) int {
	if times, err := strconv.Atoi(os.Getenv("ZVAULT_SOAK")); err == nil && times > 0 {
		return n * 10 * times
	}
	return n
}

// Fifty processes that write at once: all fifty are stored, and the log's chain holds.
func TestProcesses_AtOnce(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if out, err := v.command(fmt.Sprint("value ", i), "secret", "set", fmt.Sprint("KEY_", i)).CombinedOutput(); err != nil {
				t.Errorf("process %d: %v: %s", i, err, out)
			}
		})
	}
	wg.Wait()
	listed := v.must(t, "", "export", "--format", "json")
	for i := range 50 {
		if !strings.Contains(listed, fmt.Sprintf(`"KEY_%d": "value %d"`, i, i)) {
			t.Errorf("KEY_%d is lost", i)
		}
	}
	v.must(t, "", "audit", "verify")
}

// Processes that are killed in the middle of a write: what was acknowledged is there, the vault opens, the chain holds.
func TestProcesses_Killed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	acknowledged := map[string]string{}
	killed := 0
	for i := range soak(200) {
		name, value := fmt.Sprint("KEY_", i%20), fmt.Sprint("value of run ", i)
		cmd := v.command(value, "secret", "set", name)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(rand.IntN(30_000))*time.Microsecond, func() {
			if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
		})
		if err := cmd.Wait(); err == nil {
			acknowledged[name] = value
		} else {
			killed++
			// Whether it took effect is open: the value is the old or the new one.
			if got := v.must(t, "", "export", "--format", "json"); strings.Contains(got, value) {
				acknowledged[name] = value
			}
		}
		timer.Stop()
	}
	if killed == 0 || len(acknowledged) == 0 {
		t.Fatalf("%d killed, %d acknowledged: the test has tried nothing", killed, len(acknowledged))
	}
	all := v.must(t, "", "export", "--format", "json")
	for name, value := range acknowledged {
		if !strings.Contains(all, fmt.Sprintf("%q: %q", name, value)) {
			t.Errorf("%s: an acknowledged write is lost", name)
		}
	}
	v.must(t, "", "audit", "verify")
}
