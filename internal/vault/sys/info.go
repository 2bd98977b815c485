package sys

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (s *System) infoRoutes() []*logical.Route {
	return []*logical.Route{
		{Pattern: "host-info", Synopsis: "Shows the machine.", Ops: ops{logical.Read: hostInfo}},
		{Pattern: "in-flight-req", Synopsis: "Lists the requests that are being served.", Ops: ops{logical.Read: s.inFlight}},
		{Pattern: "ha-status", Synopsis: "Shows this node: every node serves.", Ops: ops{logical.Read: s.haStatus}},
		{Pattern: "version-history", Synopsis: "Lists the versions that served this vault.", Ops: ops{logical.List: s.versions}},
		{Pattern: "plugins/catalog", Synopsis: "Lists the backends of this build.", Ops: ops{logical.Read: s.catalog}},
		{Pattern: "plugins/catalog/:kind", Synopsis: "Lists the backends of a kind.", Ops: ops{logical.List: s.catalogKind}},
		{Pattern: "config/auditing/request-headers", Sudo: true, Synopsis: "Headers that are audited: none can be chosen.",
			Ops: ops{logical.Read: func(context.Context, *logical.Request) (*logical.Response, error) {
				return all(map[string]any{"headers": map[string]any{}}), nil
			}}},
	}
}

func hostInfo(_ context.Context, r *logical.Request) (*logical.Response, error) {
	name, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{
		"timestamp": r.Time.UTC().Format(time.RFC3339Nano),
		"host":      map[string]any{"hostname": name, "os": runtime.GOOS, "kernelArch": runtime.GOARCH},
		"cpu":       []map[string]any{{"cores": runtime.NumCPU()}},
	}}, nil
}

func (s *System) inFlight(context.Context, *logical.Request) (*logical.Response, error) {
	data := map[string]any{}
	for _, call := range s.core.InFlight() {
		data[call.ID] = map[string]any{
			"start_time": call.Time.UTC().Format(time.RFC3339Nano), "client_remote_address": call.Remote.String(), "request_path": "/v1/" + call.Path,
			"request_method": call.Method,
		}
	}
	raw, err := json.Marshal(data)
	return &logical.Response{Raw: raw, ContentType: "application/json"}, err
}

func (s *System) haStatus(context.Context, *logical.Request) (*logical.Response, error) {
	name, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	return all(map[string]any{"nodes": []map[string]any{{
		"hostname": name, "api_address": "", "cluster_address": "", "active_node": true, "last_echo": nil, "version": s.core.Options().Version,
	}}}), nil
}

func (s *System) versions(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
	info, err := s.core.Info(ctx)
	if err != nil {
		return nil, err
	}
	v := s.core.Options().Version
	return &logical.Response{Keys: []string{v}, KeyInfo: map[string]any{v: map[string]any{
		"previous_version": nil, "timestamp_installed": info.Created.Format(time.RFC3339), "build_date": "",
	}}}, nil
}

// names are the backends by kind, as clients know them.
func (s *System) names() map[string][]string {
	o := s.core.Options()
	auth, secret := slices.Sorted(maps.Keys(o.Auths)), slices.Sorted(maps.Keys(o.Engines))
	secret = slices.DeleteFunc(secret, func(n string) bool { return n == "system" || n == "cubbyhole" || n == "identity" || n == "kv-v2" })
	auth = slices.DeleteFunc(auth, func(n string) bool { return n == "token" })
	return map[string][]string{"auth": auth, "secret": secret, "database": {}}
}

func (s *System) catalog(context.Context, *logical.Request) (*logical.Response, error) {
	data := map[string]any{}
	detailed := []map[string]any{}
	for kind, names := range s.names() {
		data[kind] = names
		for _, n := range names {
			detailed = append(detailed, map[string]any{
				"builtin": true, "name": n, "type": kind, "version": s.core.Options().Version + "+builtin", "deprecation_status": "supported",
			})
		}
	}
	data["detailed"] = detailed
	return &logical.Response{Data: data}, nil
}

func (s *System) catalogKind(_ context.Context, r *logical.Request) (*logical.Response, error) {
	names, ok := s.names()[r.Params.Get("kind")]
	if !ok {
		return nil, logical.Invalid("%q is no kind of plugin: auth, secret or database", r.Params.Get("kind"))
	}
	return &logical.Response{Keys: names}, nil
}
