// Command zvault is the whole of ZVault in one binary.
package main

import (
	"os"

	"github.com/ArcadeLabsInc/zvault/internal/cli"
)

func main() { os.Exit(cli.Main()) }
