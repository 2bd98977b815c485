//go:build !linux

package file

import "os"

// syncData makes what was written to f durable: F_FULLFSYNC on macOS, FlushFileBuffers on Windows.
func syncData(f *os.File) error { return f.Sync() }
