// Command zvault is the whole of ZVault: the local vault, and later the server, in one binary.
package main

import (
	"fmt"
	"os"

	"github.com/ArcadeLabsInc/zvault/internal/version"
)

func main() {
	if _, err := fmt.Fprintln(os.Stdout, version.Get()); err != nil {
		os.Exit(1)
	}
}
