//go:build !windows

package cli

// consoleFile is the terminal of this process, wherever its output goes.
const consoleFile = "/dev/tty"
