//go:build unix && !linux

package storagetest

import "testing"

// runDisk needs mounts that this system does not give to a test.
func runDisk(*testing.T, Files) {}

func diskChild(t *testing.T, _ Files, _ string) { t.Fatal("no part") }
