package cli

import (
	"os"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/grant/inside"
)

// chainVariable names what the tests' zvault descends from: programs, with commas between. The tests may well run below an
// assistant.
const chainVariable = "ZVAULT_TEST_CHAIN"

func init() {
	processChain = func() (chain []inside.Process) {
		for name := range strings.SplitSeq(os.Getenv(chainVariable), ",") {
			chain = append(chain, inside.Process{Name: name, Args: strings.Fields(name)})
		}
		return chain
	}
}
