package sys

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// protected mounts stay where they are.
var protected = []string{"sys/", "cubbyhole/", "identity/", "auth/token/"}

func (s *System) mountRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "path", Type: logical.String, Help: "Where to mount."},
		{Name: "type", Type: logical.String, Help: "The type of backend."},
		{Name: "description", Type: logical.String, Help: "A text for people."},
		{Name: "config", Type: logical.Map, Help: "Times to live, headers, visibility."},
		{Name: "options", Type: logical.KVPairs, Help: "Options of the backend, as version=2 for kv."},
		{Name: "local", Type: logical.Bool, Help: "Kept for clients that send it."},
		{Name: "seal_wrap", Type: logical.Bool, Help: "Kept for clients that send it: everything is sealed here."},
	}
	routes := []*logical.Route{{
		Pattern: "mounts", Synopsis: "Lists the mounted secrets engines.", Ops: ops{logical.Read: s.listMounts(false)},
	}, {
		Pattern: "auth", Synopsis: "Lists the enabled auth methods.", Ops: ops{logical.Read: s.listMounts(true)},
	}, {
		Pattern: "remount", Synopsis: "Moves a mount to another path.", Sudo: true, Ops: ops{logical.Update: s.remount},
		Fields: []logical.Field{{Name: "from", Type: logical.String, Help: "Where it is."}, {Name: "to", Type: logical.String, Help: "Where it shall be."}},
	}, {
		Pattern: "remount/status/:id", Synopsis: "Tells how far a move is: it is done when it is answered.", Ops: ops{logical.Read: remountStatus},
	}}
	for _, auth := range []bool{false, true} {
		base := "mounts"
		if auth {
			base = "auth"
		}
		routes = append(routes, &logical.Route{
			Pattern: base + "/*path", Fields: fields, Sudo: auth, Synopsis: "Mounts, shows, tunes or removes a backend.",
			Ops: ops{logical.Read: s.readMount(auth), logical.Update: s.writeMount(auth), logical.Delete: s.unmount(auth)},
		})
	}
	return routes
}

// place makes of what a client calls a path the path of a mount.
func place(auth bool, path string) string {
	path = strings.Trim(path, "/") + "/"
	if auth {
		path = vault.AuthPrefix + path
	}
	return path
}

func (s *System) listMounts(auth bool) logical.Handler {
	return func(ctx context.Context, _ *logical.Request) (*logical.Response, error) {
		t, err := s.core.Table(ctx)
		if err != nil {
			return nil, err
		}
		data := map[string]any{}
		for _, m := range t.Sorted() {
			if m.Auth() == auth {
				data[strings.TrimPrefix(m.Path, vault.AuthPrefix)] = s.describe(m)
			}
		}
		return all(data), nil
	}
}

// describe is a mount as clients see it.
func (s *System) describe(m *vault.Mount) map[string]any {
	var options any
	if m.Options != nil {
		options = m.Options
	}
	return map[string]any{
		"accessor": m.Accessor, "config": describeConfig(m), "description": m.Description, "external_entropy_access": false,
		"local": m.Local, "options": options, "plugin_version": "", "running_plugin_version": s.core.Options().Version + "+builtin",
		"running_sha256": "", "seal_wrap": m.SealWrap, "type": m.Type, "uuid": m.UUID, "deprecation_status": "supported",
	}
}

func describeConfig(m *vault.Mount) map[string]any {
	c := m.Config
	out := map[string]any{
		"default_lease_ttl": int64(c.DefaultTTL / time.Second), "max_lease_ttl": int64(c.MaxTTL / time.Second), "force_no_cache": c.ForceNoCache,
	}
	if m.Auth() {
		out["token_type"] = "default-service"
		if c.TokenType != "" {
			out["token_type"] = c.TokenType
		}
	}
	addLists(out, c)
	return out
}

func addLists(out map[string]any, c vault.MountConfig) {
	for name, list := range map[string][]string{
		"audit_non_hmac_request_keys": c.NonHMACRequestKeys, "audit_non_hmac_response_keys": c.NonHMACResponseKeys,
		"passthrough_request_headers": c.PassthroughHeaders, "allowed_response_headers": c.AllowedHeaders,
	} {
		if len(list) > 0 {
			out[name] = list
		}
	}
	if c.ListingVisibility != "" {
		out["listing_visibility"] = c.ListingVisibility
	}
	if l := c.Lockout; l != nil {
		reset, duration := int64(l.CounterReset/time.Second), int64(l.Duration/time.Second)
		out["user_lockout_config"] = map[string]any{ // under the names that Vault's clients know, and OpenBao's
			"lockout_threshold": l.Threshold, "lockout_duration": duration, "lockout_counter_reset": reset, "lockout_disable": l.Disable,
			"user_lockout_threshold": l.Threshold, "user_lockout_duration": duration, "user_lockout_counter_reset_duration": reset,
			"user_lockout_disable": l.Disable,
		}
	}
}

func (s *System) readMount(auth bool) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		path := r.Params.Get("path")
		name, tune := strings.CutSuffix(strings.Trim(path, "/"), "/tune")
		t, err := s.core.Table(ctx)
		if err != nil {
			return nil, err
		}
		m := t.Mounts[place(auth, name)]
		switch {
		case m == nil && tune:
			return nil, logical.Invalid("cannot fetch sysview for path %q", place(auth, name))
		case m == nil && auth:
			return nil, logical.Invalid("No auth engine at %s", name+"/")
		case m == nil:
			return nil, logical.Invalid("No secret engine mount at %s", name+"/")
		case !tune:
			return all(s.describe(m)), nil
		}
		return all(describeTune(m)), nil
	}
}

func describeTune(m *vault.Mount) map[string]any {
	def, limit := m.TTLs()
	out := map[string]any{
		"default_lease_ttl": int64(def / time.Second), "max_lease_ttl": int64(limit / time.Second),
		"force_no_cache": m.Config.ForceNoCache, "description": m.Description,
	}
	if m.Options != nil {
		out["options"] = m.Options
	}
	if m.Auth() {
		out["token_type"] = "default-service"
		if m.Config.TokenType != "" {
			out["token_type"] = m.Config.TokenType
		}
	}
	addLists(out, m.Config)
	return out
}

func (s *System) writeMount(auth bool) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		name := strings.Trim(r.Params.Get("path"), "/")
		if target, tune := strings.CutSuffix(name, "/tune"); tune {
			return s.tune(ctx, r, place(auth, target))
		}
		return s.mount(ctx, r, auth, name)
	}
}

func (s *System) mount(ctx context.Context, r *logical.Request, auth bool, name string) (*logical.Response, error) {
	kind := r.Data.String("type")
	if name == "" {
		return nil, logical.Invalid("the path of a mount cannot be empty")
	}
	if kind == "" {
		return nil, logical.Invalid("backend type must be specified as a string")
	}
	m, err := vault.NewMount(place(auth, name), kind)
	if err != nil {
		return nil, err
	}
	m.Description, m.Local, m.SealWrap, m.Options = r.Data.String("description"), r.Data.Bool("local"), r.Data.Bool("seal_wrap"), r.Data.Pairs("options")
	normalizeKV(m)
	if auth {
		m.Config.TokenType = "default-service"
	}
	if err := configure(&m.Config, logical.NewData(r.Data.Map("config"))); err != nil {
		return nil, err
	}
	backend := s.core.BackendOf(m)
	if backend == nil || slices.Contains([]string{"system", "cubbyhole", "identity", "token"}, m.Type) {
		if backend != nil {
			return nil, logical.Invalid("mount type of %q is not mountable", m.Type)
		}
		return nil, logical.Invalid("plugin not found in the catalog: %s", kind)
	}
	err = s.core.ChangeMounts(ctx, func(t *vault.Table, tx storage.Tx) error {
		if err := free(t, m.Path); err != nil {
			return err
		}
		t.Mounts[m.Path] = m
		return nil
	})
	if err != nil || backend.Setup == nil {
		return nil, err
	}
	return nil, backend.Setup(ctx, s.core.StorageOf(m), m.Options)
}

// normalizeKV gives kv the version that it has by default, or by its other name.
func normalizeKV(m *vault.Mount) {
	switch m.Type {
	case "kv-v1":
		m.Type, m.Options = "kv", map[string]string{"version": "1"}
	case "kv-v2":
		m.Type, m.Options = "kv", map[string]string{"version": "2"}
	case "generic":
		m.Type = "kv"
	}
}

// free refuses a path that is taken, lies in another mount, or holds one.
func free(t *vault.Table, path string) error {
	for p := range t.Mounts {
		switch {
		case p == path:
			return logical.Invalid("path is already in use at %s", strings.TrimPrefix(p, vault.AuthPrefix))
		case strings.HasPrefix(path, p):
			return logical.Invalid("path is already in use at %s", p)
		case strings.HasPrefix(p, path):
			return logical.Invalid("path is already in use at %s", p)
		}
	}
	if path == vault.AuthPrefix {
		return logical.Invalid("cannot mount at \"auth/\"")
	}
	return nil
}

// configure takes over what of a mount's configuration was given.
func configure(c *vault.MountConfig, d logical.Data) error {
	for name, to := range map[string]*time.Duration{"default_lease_ttl": &c.DefaultTTL, "max_lease_ttl": &c.MaxTTL} {
		if !d.Has(name) {
			continue
		}
		if text := d.String(name); text == "system" {
			*to = 0
			continue
		}
		v, ok := logical.ParseDuration(d.Raw[name])
		if !ok || v < 0 {
			return logical.Invalid("unable to parse %s of %v", name, d.Raw[name])
		}
		*to = v
	}
	if limit := c.MaxTTL; limit > 0 && c.DefaultTTL > limit {
		return logical.Invalid("given default lease TTL greater than given max lease TTL")
	}
	for name, to := range map[string]*[]string{
		"audit_non_hmac_request_keys": &c.NonHMACRequestKeys, "audit_non_hmac_response_keys": &c.NonHMACResponseKeys,
		"passthrough_request_headers": &c.PassthroughHeaders, "allowed_response_headers": &c.AllowedHeaders,
	} {
		if d.Has(name) {
			*to = d.Strings(name)
		}
	}
	if d.Has("force_no_cache") {
		c.ForceNoCache = d.Bool("force_no_cache")
	}
	if d.Has("listing_visibility") {
		c.ListingVisibility = d.String("listing_visibility")
		if !slices.Contains([]string{"", "hidden", "unauth"}, c.ListingVisibility) {
			return logical.Invalid("invalid listing_visibility: %q", c.ListingVisibility)
		}
	}
	if d.Has("token_type") {
		c.TokenType = d.String("token_type")
		if !slices.Contains([]string{"default-service", "default-batch", "service", "batch"}, c.TokenType) {
			return logical.Invalid("invalid value for 'token_type'")
		}
	}
	return configureLockout(c, d)
}

func configureLockout(c *vault.MountConfig, d logical.Data) error {
	if !d.Has("user_lockout_config") {
		return nil
	}
	l := logical.NewData(d.Map("user_lockout_config"))
	c.Lockout = &vault.Lockout{
		Threshold: l.Int("lockout_threshold"), Duration: l.Duration("lockout_duration"), CounterReset: l.Duration("lockout_counter_reset_duration"),
		Disable: l.Bool("lockout_disable"),
	}
	if l.Has("lockout_counter_reset") { // what older clients send
		c.Lockout.CounterReset = l.Duration("lockout_counter_reset")
	}
	if c.Lockout.Threshold < 0 || c.Lockout.Duration < 0 || c.Lockout.CounterReset < 0 {
		return logical.Invalid("user_lockout_config: a threshold and its times cannot be negative")
	}
	return nil
}

func (s *System) tune(ctx context.Context, r *logical.Request, path string) (*logical.Response, error) {
	if r.Data.Has("options") && slices.Contains(protected, path) {
		return nil, logical.Invalid("cannot tune parameter options of %s", path)
	}
	from, to := 0, 0
	err := s.core.ChangeMounts(ctx, func(t *vault.Table, _ storage.Tx) error {
		m := t.Mounts[path]
		if m == nil {
			return logical.Invalid("tune of path %q failed: no mount entry found", path)
		}
		if err := configure(&m.Config, r.Data); err != nil {
			return err
		}
		if r.Data.Has("description") {
			m.Description = r.Data.String("description")
		}
		from = versionOf(m)
		if err := retune(m, r.Data.Pairs("options")); err != nil {
			return err
		}
		to = versionOf(m)
		b := s.core.BackendOf(m)
		m.Upgrading = m.Upgrading || from < to && b != nil && b.Upgrade != nil
		return nil
	})
	if err != nil || from == to {
		return nil, err
	}
	// The client may go away: half a move helps nobody.
	if err := s.core.Upgrade(context.WithoutCancel(ctx), path, r.Time); err != nil {
		return nil, err
	}
	return &logical.Response{Warnings: []string{fmt.Sprintf("Upgraded mount from version %d to version %d.", from, to)}}, nil
}

// versionOf is the version of the engine that a mount was made with, 0 for one that has none. A kv mount has version 1 if it
// says nothing.
func versionOf(m *vault.Mount) int {
	if m.Type != "kv" {
		return 0
	}
	if m.Options["version"] == "2" {
		return 2
	}
	return 1
}

// retune changes the options of a mount; an empty one is taken away. The version of a kv mount only rises.
func retune(m *vault.Mount, options map[string]string) error {
	if len(options) == 0 {
		return nil
	}
	if text, ok := options["version"]; ok && m.Type == "kv" {
		version, err := strconv.Atoi(text)
		switch {
		case text != "" && err != nil:
			return logical.Invalid("unable to parse options: %q is not a version", text)
		case version != 1 && version != 2:
			return logical.Invalid("invalid version provided: %d", version)
		case version < versionOf(m):
			return logical.Invalid("cannot downgrade mount from version %d", versionOf(m))
		}
		options["version"] = strconv.Itoa(version)
	}
	merged := map[string]string{}
	for k, v := range m.Options {
		merged[k] = v
	}
	for k, v := range options {
		merged[k] = v
		if v == "" {
			delete(merged, k)
		}
	}
	m.Options = merged
	return nil
}

func (s *System) unmount(auth bool) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		path := place(auth, r.Params.Get("path"))
		if slices.Contains(protected, path) {
			if path == "auth/token/" {
				return nil, logical.Invalid("token credential backend cannot be disabled")
			}
			return nil, logical.Invalid("cannot unmount %q", path)
		}
		return nil, s.core.Unmount(ctx, path, r.Time)
	}
}

func (s *System) remount(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	from, to := strings.Trim(r.Data.String("from"), "/")+"/", strings.Trim(r.Data.String("to"), "/")+"/"
	if from == "/" || to == "/" {
		return nil, logical.Invalid("both 'from' and 'to' path must be specified as a string")
	}
	if slices.Contains(protected, from) {
		return nil, logical.Invalid("cannot remount %q", from)
	}
	if strings.HasPrefix(from, vault.AuthPrefix) != strings.HasPrefix(to, vault.AuthPrefix) {
		return nil, logical.Invalid("cannot remount between secrets engines and auth methods")
	}
	err := s.core.ChangeMounts(ctx, func(t *vault.Table, _ storage.Tx) error {
		m := t.Mounts[from]
		if m == nil {
			return logical.Invalid("no matching mount at %q", from)
		}
		if err := free(t, to); err != nil {
			return err
		}
		delete(t.Mounts, from)
		m.Path = to
		t.Mounts[to] = m
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{"migration_id": r.ID}}, nil
}

func remountStatus(_ context.Context, r *logical.Request) (*logical.Response, error) {
	id := r.Params.Get("id")
	return &logical.Response{Data: map[string]any{"migration_id": id, "migration_info": map[string]any{"status": "success"}}}, nil
}
