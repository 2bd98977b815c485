package inspect

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type jwtIn struct {
	Secret string `json:"secret" jsonschema:"name of the secret that holds the token"`
	Env    string `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
}

type jwtOut struct {
	Header  map[string]any `json:"header"`
	Claims  map[string]any `json:"claims"`
	Expires string         `json:"expires,omitempty"`
	Expired bool           `json:"expired"`
	Note    string         `json:"note"`
}

func jwtDecode() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "jwt_decode", Title: "Read the claims of a stored JWT", Set: tool.Inspect,
		Text: "Shows header and claims of a JSON Web Token that is a secret, and whether it has expired. The token itself and its signature are " +
			"not shown, and the signature is not checked.",
		ReadOnly: true, Idempotent: true, Outside: true,
	}, decodeJWT)
}

func decodeJWT(ctx context.Context, c *tool.Call, in jwtIn) (*jwtOut, error) {
	e := c.In(in.Env)
	use := grant.Use{Project: e.Project, Env: e.Slug, Secrets: []string{in.Secret}, Tool: "jwt_decode", In: map[string]string{in.Secret: "claims"}}
	if err := c.Gate.Authorize(ctx, use); err != nil {
		return nil, err
	}
	values, err := c.Session.Reveal(ctx, e, []string{in.Secret})
	if err != nil {
		return nil, err
	}
	parts := strings.Split(strings.TrimSpace(string(values[in.Secret].Reveal())), ".")
	if len(parts) != 3 {
		return nil, tool.Failed("failed", "%s holds no signed JWT", in.Secret)
	}
	out := &jwtOut{Note: "the signature was not checked"}
	for i, to := range []*map[string]any{&out.Header, &out.Claims} {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[i], "="))
		if err != nil || json.Unmarshal(raw, to) != nil || *to == nil {
			return nil, tool.Failed("failed", "%s holds no signed JWT", in.Secret)
		}
	}
	if exp, ok := out.Claims["exp"].(float64); ok {
		at := time.Unix(int64(exp), 0).UTC()
		out.Expires, out.Expired = at.Format(time.RFC3339), !time.Now().Before(at)
	}
	return out, nil
}
