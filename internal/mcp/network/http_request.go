package network

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type httpIn struct {
	Method  string            `json:"method,omitempty" jsonschema:"GET unless given"`
	URL     string            `json:"url" jsonschema:"http or https URL; path and query may hold ${zvault://KEY}"`
	Query   map[string]string `json:"query,omitempty" jsonschema:"query parameters, added to the URL; a value may be zvault://KEY"`
	Headers map[string]string `json:"headers,omitempty" jsonschema:"headers; a value may hold an address: Bearer ${zvault://API_KEY}"`
	Body    string            `json:"body,omitempty" jsonschema:"the body as it is sent; may hold ${zvault://KEY}"`
	Env     string            `json:"env,omitempty" jsonschema:"environment of the secrets; the one in force unless given"`
}

func httpRequest() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "http_request", Title: "Send an HTTP request", Set: tool.Proxy,
		Text: "Sends an HTTP request. Where an API needs a credential, write the secret's address, ${zvault://KEY}; its value is put in on the " +
			"way and never shown, also not if the API sends it back. The first use of a secret at a host asks the person.",
		Destructive: true, OpenWorld: true, Outside: true,
	}, func(ctx context.Context, c *tool.Call, in httpIn) (*answer, error) {
		return send(ctx, c, request{
			tool: "http_request", env: in.Env, method: in.Method, url: in.URL, query: in.Query, headers: in.Headers, body: in.Body,
		})
	})
}
