package transit

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// maxRandom is how many random bytes may be asked for.
const maxRandom = 128 << 10

func randomRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "bytes", Type: logical.Int, Default: 32, Help: "How many bytes; in the path they win."},
		{Name: "format", Type: logical.String, Default: "base64", Help: `"base64" or "hex".`},
		{Name: "source", Type: logical.String, Help: `"platform", "seal" or "all".`},
	}
	route := func(pattern string) *logical.Route {
		return &logical.Route{
			Pattern: pattern, Fields: fields, Ops: map[logical.Operation]logical.Handler{logical.Update: randomBytes},
			Synopsis: "Generate random bytes",
		}
	}
	return []*logical.Route{route("random"), route("random/:source/*urlbytes")}
}

// randomBytes answers with random bytes of the platform: the seals have no generators of their own. The path may hold a
// source, a number, or both.
func randomBytes(_ context.Context, r *logical.Request) (*logical.Response, error) {
	source, count := r.Params.Get("source"), r.Params.Get("urlbytes")
	known := source == "" || source == "platform" || source == "seal" || source == "all"
	n := r.Data.Int("bytes")
	if count == "" && !known {
		source, count, known = "", source, true
	}
	if count != "" {
		var err error
		if n, err = strconv.Atoi(count); err != nil {
			return nil, logical.Invalid("error parsing url-set byte count: %s", err)
		}
	}
	format := r.Data.String("format")
	switch {
	case n < 1:
		return nil, logical.Invalid("'bytes' cannot be less than 1")
	case n > maxRandom:
		return nil, logical.Invalid("'bytes' should be less than %d", maxRandom)
	case format != "hex" && format != "base64":
		return nil, logical.Invalid("unsupported encoding format %q; must be \"hex\" or \"base64\"", format)
	case !known:
		return nil, logical.Invalid("unsupported entropy source %q; must be \"platform\" or \"seal\", or \"all\"", source)
	}
	b := make([]byte, n)
	fill(b)
	response := respond(append(appendString([]byte{'{'}, "random_bytes", encodeAs(format, b)), '}'))
	if source == "seal" {
		response.Warnings = []string{"no seal/entropy augmentation available, using platform entropy source"}
	}
	return response, nil
}

// encodeAs writes b as "hex" or in base64.
func encodeAs(format string, b []byte) string {
	if format == "hex" {
		return hex.EncodeToString(b)
	}
	return base64.StdEncoding.EncodeToString(b)
}
