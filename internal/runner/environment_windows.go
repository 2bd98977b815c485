package runner

import (
	"fmt"
	"strings"
)

// maxBlock is the most characters that an environment may have in all.
const maxBlock = 32767

// fold: names differ by more than case here.
func fold(name string) string { return strings.ToUpper(name) }

func checkSize(all []string, _ []Variable) error {
	n := 1
	for _, entry := range all {
		n += len(entry) + 1
	}
	if n > maxBlock {
		return fmt.Errorf("all variables have %d characters together, the system passes at most %d: %w", n, maxBlock, ErrEnvironment)
	}
	return nil
}
