package admin

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

type tokenCreateIn struct {
	Name     string   `json:"name" jsonschema:"the secret that the token is put into; it must not exist yet"`
	Env      string   `json:"env,omitempty" jsonschema:"environment of that secret; the one in force if left out"`
	Policies []string `json:"policies" jsonschema:"policies of the token"`
	TTL      string   `json:"ttl,omitempty" jsonschema:"how long it is valid, such as 1h; the server's default if left out"`
	Uses     int      `json:"uses,omitempty" jsonschema:"how often it can be used; no limit if left out"`
}

type tokenCreateOut struct {
	Address  string   `json:"address" jsonschema:"where the token is"`
	Accessor string   `json:"accessor" jsonschema:"by which it can be looked up and revoked, not used"`
	Policies []string `json:"policies"`
	Seconds  int      `json:"seconds" jsonschema:"how long it is valid; 0: without end"`
}

func tokenCreate() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "token_create", Title: "Make a token", Set: tool.Admin, OpenWorld: true,
		Text: "Makes a token on the server that VAULT_ADDR names and puts it into the vault. You get its address, not the token.",
	}, runTokenCreate)
}

func runTokenCreate(ctx context.Context, c *tool.Call, a tokenCreateIn) (tokenCreateOut, error) {
	e := in(c, a.Env)
	if err := ref.ValidKey(a.Name); err != nil {
		return tokenCreateOut{}, tool.Invalid("name %q: %v", a.Name, err)
	}
	if len(a.Policies) == 0 {
		return tokenCreateOut{}, tool.Invalid("name the token's policies; without any it would have those of the person")
	}
	if _, err := c.Platform.Describe(ctx, c.Caller, e, a.Name); platform.KindOf(err) != platform.NotFound {
		if err == nil {
			err = tool.Failed("exists", "%s is set already in %s/%s", a.Name, e.Project, e.Slug)
		}
		return tokenCreateOut{}, err
	}
	client, err := connect(c)
	if err != nil {
		return tokenCreateOut{}, err
	}
	defer client.Close()
	body := map[string]any{"policies": a.Policies, "display_name": "zvault-mcp", "num_uses": a.Uses}
	if a.TTL != "" {
		body["ttl"] = a.TTL
	}
	made, err := client.Post(ctx, "auth/token/create", body)
	if err != nil {
		return tokenCreateOut{}, answered(err)
	}
	if made == nil || made.Auth == nil || made.Auth.ClientToken == "" {
		return tokenCreateOut{}, tool.Failed("failed", "the server gave no token")
	}
	v, raw := secret.Of(made.Auth.ClientToken), platform.TypeRaw
	c.Session.Guard(a.Name, v)
	comment := "token of the server, accessor " + made.Auth.Accessor
	_, err = c.Platform.Apply(ctx, c.Caller, e, platform.Batch{
		Changes: []platform.Change{{Name: a.Name, Value: &v, Type: &raw, Comment: &comment}}, Message: "token made by an assistant",
	})
	if err != nil { // a token that nobody has is of no use
		if _, undo := client.Post(ctx, "auth/token/revoke-accessor", map[string]any{"accessor": made.Auth.Accessor}); undo != nil {
			return tokenCreateOut{}, tool.Failed("failed", "the token could not be stored, nor revoked; the person should revoke accessor %s", made.Auth.Accessor)
		}
		return tokenCreateOut{}, err
	}
	return tokenCreateOut{
		Address: ref.Ref{Project: e.Project, Key: a.Name, Env: e.Slug}.String(), Accessor: made.Auth.Accessor,
		Policies: append([]string{}, made.Auth.Policies...), Seconds: made.Auth.LeaseDuration,
	}, nil
}
