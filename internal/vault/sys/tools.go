package sys

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (s *System) toolRoutes() []*logical.Route {
	hashFields := []logical.Field{
		{Name: "input", Type: logical.String, Help: "What to hash, in base64."}, {Name: "algorithm", Type: logical.String, Default: "sha2-256", Help: "The hash."},
		{Name: "format", Type: logical.String, Default: "hex", Help: "hex or base64."},
	}
	randomFields := []logical.Field{
		{Name: "bytes", Type: logical.Int, Default: 32, Help: "How many."}, {Name: "format", Type: logical.String, Default: "base64", Help: "base64 or hex."},
	}
	var routes []*logical.Route
	for _, p := range []string{"tools/hash", "tools/hash/:algorithm"} {
		routes = append(routes, &logical.Route{Pattern: p, Fields: hashFields, Synopsis: "Hashes.", Ops: ops{logical.Update: toolHash}})
	}
	for _, p := range []string{"tools/random", "tools/random/:first", "tools/random/:first/:bytes"} {
		routes = append(routes, &logical.Route{Pattern: p, Fields: randomFields, Synopsis: "Gives random bytes.", Ops: ops{logical.Update: toolRandom}})
	}
	return routes
}

func hasher(name string) hash.Hash {
	switch name {
	case "sha2-224":
		return sha256.New224()
	case "sha2-256":
		return sha256.New()
	case "sha2-384":
		return sha512.New384()
	case "sha2-512":
		return sha512.New()
	case "sha3-224":
		return sha3.New224()
	case "sha3-256":
		return sha3.New256()
	case "sha3-384":
		return sha3.New384()
	case "sha3-512":
		return sha3.New512()
	}
	return nil
}

func toolHash(_ context.Context, r *logical.Request) (*logical.Response, error) {
	name := r.Params.Get("algorithm")
	if name == "" {
		name = r.Data.String("algorithm")
	}
	input, err := base64.StdEncoding.DecodeString(r.Data.String("input"))
	if err != nil {
		return nil, logical.Invalid("unable to decode input as base64: %s", err)
	}
	h := hasher(name)
	if h == nil {
		return nil, logical.Invalid("unsupported algorithm %s", name)
	}
	_, _ = h.Write(input) // a hash never fails
	text, err := encoded(r.Data.String("format"), h.Sum(nil))
	return &logical.Response{Data: map[string]any{"sum": text}}, err
}

func encoded(format string, raw []byte) (string, error) {
	switch format {
	case "hex":
		return hex.EncodeToString(raw), nil
	case "base64":
		return base64.StdEncoding.EncodeToString(raw), nil
	}
	return "", logical.Invalid("unsupported encoding format %q; must be \"hex\" or \"base64\"", format)
}

// mostRandom is the most random bytes of one request.
const mostRandom = 128 << 10

func toolRandom(_ context.Context, r *logical.Request) (*logical.Response, error) {
	first, second := r.Params.Get("first"), r.Params.Get("bytes")
	n := r.Data.Int("bytes")
	for _, text := range []string{first, second} {
		switch text {
		case "", "platform", "seal", "all":
			continue
		}
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			return nil, logical.Invalid("error parsing url-set byte count: %s", err)
		}
	}
	if n < 1 {
		return nil, logical.Invalid("'bytes' cannot be less than 1")
	}
	if n > mostRandom {
		return nil, logical.Invalid("'bytes' should be less than %d", mostRandom)
	}
	raw := make([]byte, n)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	text, err := encoded(r.Data.String("format"), raw)
	return &logical.Response{Data: map[string]any{"random_bytes": text}}, err
}
