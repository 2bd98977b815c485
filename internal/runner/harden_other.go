//go:build !linux

package runner

// Harden does nothing here: core dumps are off by default, and closing a process to its own user is not offered.
func Harden() error { return nil }

// Unharden undoes Harden.
func Unharden() error { return nil }
