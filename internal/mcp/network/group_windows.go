package network

import (
	"os/exec"
	"time"
)

// group has a program that takes too long be killed.
func group(cmd *exec.Cmd) { cmd.WaitDelay = time.Second }
