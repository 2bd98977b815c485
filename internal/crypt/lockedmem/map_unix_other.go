//go:build unix && !linux

package lockedmem

// excludeFromDumps does nothing here: the system has no such advice.
func excludeFromDumps([]byte) {}
