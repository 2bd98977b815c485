package transit

import (
	"context"
	"crypto"
	_ "crypto/sha1" // what crypto.Hash knows
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/base64"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// defaultHash is the algorithm where none is asked for.
const defaultHash = "sha2-256"

// hashNamed finds a hash by its name in the API; "none" is 0.
func hashNamed(name string) (h crypto.Hash, ok bool) {
	switch name {
	case "none":
		return 0, true
	case "sha1":
		return crypto.SHA1, true
	case "sha2-224":
		return crypto.SHA224, true
	case "sha2-256":
		return crypto.SHA256, true
	case "sha2-384":
		return crypto.SHA384, true
	case "sha2-512":
		return crypto.SHA512, true
	case "sha3-224":
		return crypto.SHA3_224, true
	case "sha3-256":
		return crypto.SHA3_256, true
	case "sha3-384":
		return crypto.SHA3_384, true
	case "sha3-512":
		return crypto.SHA3_512, true
	}
	return 0, false
}

func sum(h crypto.Hash, input []byte) []byte {
	state := h.New()
	state.Write(input)
	return state.Sum(nil)
}

const algorithms = "sha2-224, sha2-256, sha2-384, sha2-512, sha3-224, sha3-256, sha3-384 or sha3-512"

// urlAlgorithm is an algorithm at the end of the path.
func urlAlgorithm(r *logical.Request) string { return r.Params.Get("urlalgorithm") }

func hashRoute() *logical.Route {
	return &logical.Route{
		Pattern: "hash/*urlalgorithm",
		Fields: []logical.Field{
			{Name: "input", Type: logical.String, Help: "What to hash, in base64."},
			{Name: "algorithm", Type: logical.String, Default: defaultHash, Help: "One of " + algorithms + "; one in the path wins."},
			{Name: "format", Type: logical.String, Default: "hex", Help: `"hex" or "base64".`},
		},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: hashInput},
		Synopsis: "Hash data",
	}
}

func hashInput(_ context.Context, r *logical.Request) (*logical.Response, error) {
	if !r.Data.Has("input") {
		return nil, logical.Invalid("input missing")
	}
	input, err := base64.StdEncoding.DecodeString(r.Data.String("input"))
	if err != nil {
		return nil, logical.Invalid("unable to decode input as base64: %s", err)
	}
	format := r.Data.String("format")
	if format != "hex" && format != "base64" {
		return nil, logical.Invalid("unsupported encoding format %s; must be \"hex\" or \"base64\"", format)
	}
	name := urlAlgorithm(r)
	if name == "" {
		name = r.Data.String("algorithm")
	}
	h, ok := hashNamed(name)
	if !ok || !strings.HasPrefix(name, "sha2-") && !strings.HasPrefix(name, "sha3-") {
		return nil, logical.Invalid("unsupported algorithm %s", name)
	}
	return respond(append(appendString([]byte{'{'}, "sum", encodeAs(format, sum(h, input))), '}')), nil
}
