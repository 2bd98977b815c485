//go:build !linux

package server

import "errors"

func lockMemory() error { return errors.New("this system has no way to lock all memory of a process") }
