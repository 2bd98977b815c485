package sandbox_test

import (
	"os"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sandbox"
)

// The test binary is the sandbox's init, and the program of the attacks, too.
func TestMain(m *testing.M) {
	if sandbox.IsInit() {
		os.Exit(sandbox.Init())
	}
	if len(os.Args) > 2 && os.Args[1] == actAs {
		os.Exit(act(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}
