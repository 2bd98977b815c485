package inside_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/grant/inside"
)

const asChild = "ZVAULT_TEST_INSIDE"

// TestMain lets this binary be a program that an assistant starts.
func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		chain := inside.Ancestors()
		fmt.Println(inside.Detect(nil, chain[:1])) // no further: the test itself may run below an assistant
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A shell with an odd name starts this binary without the mark that the shell has.
func TestAncestors(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `env -u GOOSE_TERMINAL "$0"; :`, os.Args[0])
	cmd.Env = []string{"GOOSE_TERMINAL=1", asChild + "=1", "PATH=/usr/bin:/bin"}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if want := "it runs below a process in which the variable GOOSE_TERMINAL is set\n"; line != want {
		t.Errorf("got %q, want %q", line, want)
	}
	chain := inside.Ancestors()
	if len(chain) == 0 || chain[0].PID != os.Getppid() || chain[0].Name == "" || len(chain[0].Args) == 0 {
		t.Errorf("the chain is %+v", chain)
	}
}
