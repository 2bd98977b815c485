package network

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type graphqlIn struct {
	URL       string            `json:"url" jsonschema:"URL of the GraphQL endpoint"`
	Query     string            `json:"query" jsonschema:"the query or mutation"`
	Operation string            `json:"operation,omitempty" jsonschema:"which operation of the query to run, if it has several"`
	Variables map[string]any    `json:"variables,omitempty" jsonschema:"the variables; a text may hold ${zvault://KEY}"`
	Headers   map[string]string `json:"headers,omitempty" jsonschema:"headers; a value may hold an address: Bearer ${zvault://API_KEY}"`
	Env       string            `json:"env,omitempty" jsonschema:"environment of the secrets; the one in force unless given"`
}

func graphqlQuery() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "graphql_query", Title: "Run a GraphQL query", Set: tool.Proxy,
		Text: "Runs a GraphQL query or mutation. Credentials are written as addresses, ${zvault://KEY}, in headers or variables; values are put in " +
			"on the way and never shown.",
		Destructive: true, OpenWorld: true, Outside: true,
	}, runGraphQL)
}

func runGraphQL(ctx context.Context, c *tool.Call, in graphqlIn) (*answer, error) {
	body := map[string]any{"query": in.Query}
	if in.Operation != "" {
		body["operationName"] = in.Operation
	}
	if in.Variables != nil {
		body["variables"] = in.Variables
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encoding the query: %w", err)
	}
	headers := map[string]string{"Content-Type": "application/json", "Accept": "application/graphql-response+json, application/json"}
	maps.Copy(headers, in.Headers)
	return send(ctx, c, request{
		tool: "graphql_query", env: in.Env, method: http.MethodPost, url: in.URL, headers: headers, body: string(text), bodyAs: withinJSON,
	})
}

// withinJSON is a value as it stands within a string of JSON.
func withinJSON(v string) string {
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text[1 : len(text)-1])
}
