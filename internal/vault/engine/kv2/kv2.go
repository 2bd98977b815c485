// Package kv2 is the key-value engine with versions: KV version 2 of Vault's API.
//
// A key has one entry with what is known of it and its versions, meta/<path>, and one entry for each version's secret,
// ver/<path>/<number>. A folder is listed without touching a secret, and a write changes two entries in one transaction. The
// mount's settings are the entry config.
//
// What clients see is that of OpenBao 2.5.5, with these exceptions. Numbers keep their digits. A path with an empty segment is
// never taken for the path without it, or it would pass by a policy for the latter. A metadata patch with a
// delete_version_after of zero clears it, as is documented. Numbers in a patch of custom metadata become text as in a write.
package kv2

import (
	"context"
	"net/http"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// New returns the engine.
func New() *logical.Backend {
	b := &logical.Backend{
		Type:    "kv",
		Help:    "Keeps secrets in versions: older ones can be read, deleted, brought back and destroyed.",
		Upgrade: upgrade,
		Routes:  []*logical.Route{configRoute(), {Pattern: "*path", Ops: everything(invalid), Synopsis: "Not a path of this engine."}},
	}
	for _, r := range []*logical.Route{
		dataRoute(), metadataRoute(), detailedRoute(), subkeysRoute(),
		versionsRoute("delete", deleteVersions, "Marks versions as deleted; they can be brought back."),
		versionsRoute("undelete", undeleteVersions, "Brings deleted versions back."),
		versionsRoute("destroy", destroyVersions, "Removes the secrets of versions for good."),
	} {
		b.Routes = append(b.Routes, r, root(r))
	}
	return b
}

// root returns the route for the path of r with nothing after it. A list of it ends in "/" and is r's; without the slash it
// is no path of this engine.
func root(r *logical.Route) *logical.Route {
	name, _, _ := strings.Cut(r.Pattern, "/")
	return &logical.Route{
		Pattern: name, Fields: r.Fields, Synopsis: r.Synopsis, Description: r.Description,
		Ops: everything(func(ctx context.Context, req *logical.Request) (*logical.Response, error) {
			if !strings.HasSuffix(req.Path, "/") {
				return invalid(ctx, req)
			}
			h := r.Ops[req.Operation]
			if h == nil {
				return nil, logical.ErrUnsupportedOperation
			}
			return h(ctx, req)
		}),
	}
}

func everything(h logical.Handler) map[logical.Operation]logical.Handler {
	return map[logical.Operation]logical.Handler{
		logical.Update: h, logical.Patch: h, logical.Read: h, logical.List: h, logical.Scan: h, logical.Delete: h,
	}
}

// command is the word by which the command line calls an operation.
func command(op logical.Operation) string {
	switch op {
	case logical.Create, logical.Update:
		return "put"
	case logical.Read:
		return "get"
	}
	return string(op)
}

// invalid answers what is asked of a path that this engine does not have, most often by a client that takes it for version 1.
func invalid(_ context.Context, r *logical.Request) (*logical.Response, error) {
	hint := "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. " +
		"If using the OpenBao CLI, use 'bao kv " + command(r.Operation) + "' for this operation."
	switch r.Path {
	case "metadata", "data", "delete", "undelete", "destroy":
		hint = "Non-listing operations on the root of a K/V v2 mount are not supported."
	}
	return &logical.Response{Status: http.StatusNotFound, Warnings: []string{hint}}, nil
}

// missing is 404 with an empty body, which a patch of nothing gets.
func missing() *logical.Response {
	return &logical.Response{Status: http.StatusNotFound, Raw: []byte{}, ContentType: "application/json"}
}
