//go:build unix

package runner

import (
	"fmt"
	"runtime"
)

// maxString is the most bytes of one NAME=value that Linux passes to a program (MAX_ARG_STRLEN).
const maxString = 128<<10 - 1

func fold(name string) string { return name }

// checkSize names a variable that is too long for the kernel, instead of leaving it at "argument list too long".
func checkSize(_ []string, variables []Variable) error {
	if runtime.GOOS != "linux" {
		return nil
	}
	for _, v := range variables {
		if n := len(v.Name) + 1 + v.Value.Len(); n > maxString {
			return fmt.Errorf("%s has %d bytes with its name, the system passes at most %d: %w", v.Name, n, maxString, ErrEnvironment)
		}
	}
	return nil
}
