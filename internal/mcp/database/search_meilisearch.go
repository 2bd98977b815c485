package database

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/exchange"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type meiliIn struct {
	Index      string   `json:"index,omitempty" jsonschema:"the index to search; the indexes are listed unless given"`
	Query      string   `json:"query,omitempty" jsonschema:"words to search; all documents match unless given"`
	Filter     string   `json:"filter,omitempty" jsonschema:"a filter expression: genre = horror AND year > 1990"`
	Sort       []string `json:"sort,omitempty" jsonschema:"attributes with direction: price:asc"`
	Attributes []string `json:"attributes,omitempty" jsonschema:"attributes to return; all unless given"`
	Limit      int      `json:"limit,omitempty" jsonschema:"how many hits; 20 unless given"`
	Offset     int      `json:"offset,omitempty" jsonschema:"how many hits to leave out first"`
	Connection string   `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL, https://host:7700; MEILISEARCH_URL unless given"`
	Key        string   `json:"key,omitempty" jsonschema:"name of the secret that holds the API key, in the same environment; the password of the URL unless given"`
	Env        string   `json:"env,omitempty" jsonschema:"environment of the secrets; the one in force unless given"`
}

type meiliOut struct {
	Hits      []any  `json:"hits" jsonschema:"the documents, or the indexes"`
	Total     int64  `json:"total" jsonschema:"how many there are, estimated by the server"`
	Truncated bool   `json:"truncated" jsonschema:"whether there are more than are here"`
	Hint      string `json:"hint,omitempty" jsonschema:"how to get the rest"`
}

func searchMeilisearch(*state) (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "search_meilisearch", Title: "Search in Meilisearch", Set: tool.Proxy,
		Text: "Searches an index of Meilisearch, or lists its indexes, with URL and key in secrets, which nobody sees. A long result " +
			"is cut and says so.",
		ReadOnly: true, Idempotent: true, OpenWorld: true, Outside: true,
	}, runMeilisearch)
}

// meiliAnswer is what is used of the answers; their fields are in Meilisearch's API reference.
type meiliAnswer struct {
	Hits               []json.RawMessage `json:"hits"`
	Results            []json.RawMessage `json:"results"` // of a list of indexes
	EstimatedTotalHits int64             `json:"estimatedTotalHits"`
	Total              int64             `json:"total"`
}

func runMeilisearch(ctx context.Context, c *tool.Call, in meiliIn) (meiliOut, error) {
	if in.Limit == 0 {
		in.Limit = 20
	}
	if in.Limit < 0 || in.Offset < 0 {
		return meiliOut{}, tool.Invalid("limit and offset are not below 0")
	}
	if strings.ContainsFunc(in.Index, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) {
		return meiliOut{}, tool.Invalid("the name of an index has letters, digits, - and _ only")
	}
	in.Limit = min(in.Limit, c.Limits.Rows)
	request, err := meiliRequest(in)
	if err != nil {
		return meiliOut{}, err
	}
	l, err := login.Open(ctx, c, login.Request{
		Tool: "search_meilisearch", Connection: in.Connection, Env: in.Env, Default: "MEILISEARCH_URL",
		Schemes: map[string]int{"http": 7700, "https": 443}, Key: in.Key, Method: request.Method, Path: request.Path, Statement: string(request.Body),
	})
	if err != nil {
		return meiliOut{}, err
	}
	key := l.Password
	if in.Key != "" {
		key = l.APIKey
	}
	if key.Len() > 0 {
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(key.Reveal())))
	}
	request.Most = login.MaxAnswer
	answer, err := exchange.Do(ctx, l, c.Limits, request)
	if err != nil {
		return meiliOut{}, exchange.Failure("Meilisearch", err)
	}
	return meiliHits(answer, c.Limits, in)
}

func meiliRequest(in meiliIn) (exchange.Request, error) {
	r := exchange.Request{Method: http.MethodGet, Path: "/indexes", Header: http.Header{}}
	if in.Index == "" {
		r.Query = url.Values{"limit": {strconv.Itoa(in.Limit)}, "offset": {strconv.Itoa(in.Offset)}}
		return r, nil
	}
	body := map[string]any{"q": in.Query, "limit": in.Limit, "offset": in.Offset}
	if in.Filter != "" {
		body["filter"] = in.Filter
	}
	if len(in.Sort) > 0 {
		body["sort"] = in.Sort
	}
	if len(in.Attributes) > 0 {
		body["attributesToRetrieve"] = in.Attributes
	}
	text, err := json.Marshal(body)
	if err != nil {
		return r, fmt.Errorf("encoding the search: %w", err)
	}
	r.Method, r.Path, r.Body = http.MethodPost, "/indexes/"+in.Index+"/search", text
	r.Header.Set("Content-Type", "application/json")
	return r, nil
}

func meiliHits(a *exchange.Answer, limits tool.Limits, in meiliIn) (meiliOut, error) {
	var answer meiliAnswer
	if err := json.NewDecoder(bytes.NewReader(a.Body)).Decode(&answer); err != nil {
		return meiliOut{}, tool.Failed("failed", "the server does not answer as Meilisearch does, or with too much; ask for fewer hits")
	}
	all := append(answer.Hits, answer.Results...)
	out := meiliOut{Hits: []any{}, Total: max(answer.EstimatedTotalHits, answer.Total)}
	b := table.New(limits)
	b.Columns = []table.Column{{Name: "the hit"}}
	for _, hit := range all {
		if !b.Add([]any{append(json.RawMessage{}, hit...)}) {
			break
		}
	}
	r := b.Done()
	for _, row := range r.Rows {
		out.Hits = append(out.Hits, row[0])
	}
	out.Truncated, out.Hint = r.Truncated, r.Hint
	if n := in.Offset + len(out.Hits); int64(n) < out.Total {
		out.Truncated = true
		out.Hint = strings.TrimPrefix(fmt.Sprintf("%s; go on with offset %d, or name fewer attributes", r.Hint, n), "; ")
	}
	return out, nil
}
