package storagetest

import "testing"

// runMedium needs permissions and mounts that this system does not have in this form.
func runMedium(*testing.T, Files) {}

func mediumChild(t *testing.T, _ Files, part, _ string) { t.Fatalf("no part %q", part) }
