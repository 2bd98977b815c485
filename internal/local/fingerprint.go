package local

import "github.com/ArcadeLabsInc/zvault/internal/secret"

// FingerprintFunc makes what finds a value in files without holding it.
type FingerprintFunc func(secret.Value) ([]byte, error)
