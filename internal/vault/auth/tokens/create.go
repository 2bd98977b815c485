package tokens

import (
	"context"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

func (m *Method) createRoutes() []*logical.Route {
	fields := []logical.Field{
		{Name: "id", Type: logical.String, Help: "The token itself; only for root."},
		{Name: "role_name", Type: logical.String, Help: "A role that bounds the token."},
		{Name: "display_name", Type: logical.String, Help: "A name for the audit log."},
		{Name: "explicit_max_ttl", Type: logical.Seconds, Help: "The end that no renewal passes."},
		{Name: "entity_alias", Type: logical.String, Help: "Whom the token is for; the role must allow it."},
		{Name: "num_uses", Type: logical.Int, Help: "How often it may be used; 0: any number."},
		{Name: "period", Type: logical.Seconds, Help: "Renewals give this much, without end."},
		{Name: "renewable", Type: logical.Bool, Default: true, Help: "Whether it can be renewed."},
		{Name: "ttl", Type: logical.Seconds, Help: "How long it lives."},
		{Name: "lease", Type: logical.Seconds, Help: "The older name of ttl."},
		{Name: "type", Type: logical.String, Default: token.Service, Help: "service or batch."},
		{Name: "no_default_policy", Type: logical.Bool, Help: "Leave the default policy out."},
		{Name: "no_parent", Type: logical.Bool, Help: "Make an orphan; needs sudo."},
		{Name: "policies", Type: logical.CommaList, Help: "What it may do; by default what its maker may."},
		{Name: "meta", Type: logical.KVPairs, Help: "Names and texts that are kept with it."},
		{Name: "metadata", Type: logical.KVPairs, Help: "The older name of meta."},
	}
	return []*logical.Route{
		{Pattern: "create", Fields: fields, Synopsis: "Makes a token.", Ops: ops{logical.Update: m.create(false)}},
		{Pattern: "create-orphan", Fields: fields, Sudo: true, Synopsis: "Makes a token without a parent.", Ops: ops{logical.Update: m.create(true)}},
		{Pattern: "create/:role_name", Fields: fields, Synopsis: "Makes a token as a role says.", Ops: ops{logical.Update: m.create(false)}},
	}
}

func (m *Method) create(orphan bool) logical.Handler {
	return func(ctx context.Context, r *logical.Request) (*logical.Response, error) {
		maker, err := m.own(ctx, r)
		if err != nil {
			return nil, err
		}
		if maker.Type == token.Batch {
			return nil, logical.Invalid("batch tokens cannot create more tokens")
		}
		if maker.Limited {
			return nil, logical.Invalid("restricted use token cannot generate child tokens")
		}
		a, err := wanted(r)
		if err != nil {
			return nil, err
		}
		a.Orphan = a.Orphan || orphan
		if name := r.Params.Get("role_name"); name != "" {
			role, err := logical.Load[Role](ctx, r.Storage, roleFolder+name)
			if err != nil {
				return nil, err
			}
			if role == nil {
				return nil, logical.Invalid("unknown role %s", name)
			}
			warnings, err := role.bound(r, a, maker)
			if err == nil {
				err = role.alias(r, a)
			}
			return &logical.Response{Auth: a, Warnings: warnings}, err
		}
		if err := m.bound(r, a, maker, orphan); err != nil {
			return nil, err
		}
		return &logical.Response{Auth: a}, nil
	}
}

// wanted reads what a request asks for.
func wanted(r *logical.Request) (*logical.Auth, error) {
	d := r.Data
	a := &logical.Auth{
		Policies: clean(d.Strings("policies")), NoDefaultPolicy: d.Bool("no_default_policy"), Meta: d.Pairs("meta"), TTL: d.Duration("ttl"),
		ExplicitMaxTTL: d.Duration("explicit_max_ttl"), Period: d.Duration("period"), NumUses: d.Int("num_uses"), Renewable: d.Bool("renewable"),
		DisplayName: "token", Orphan: d.Bool("no_parent"), InternalID: d.String("id"),
	}
	if a.Meta == nil {
		a.Meta = d.Pairs("metadata")
	}
	if a.TTL == 0 {
		a.TTL = d.Duration("lease")
	}
	if name := d.String("display_name"); name != "" {
		a.DisplayName = "token-" + displayable(name)
	}
	if a.TTL < 0 || a.Period < 0 || a.ExplicitMaxTTL < 0 {
		return nil, logical.Invalid("a token's times must be positive")
	}
	if a.NumUses < 0 {
		return nil, logical.Invalid("number of uses cannot be negative")
	}
	switch d.String("type") {
	case token.Service, "":
	case token.Batch:
		a.Batch = true
		if err := batchable(a); err != nil {
			return nil, err
		}
	default:
		return nil, logical.Invalid("invalid 'type' value")
	}
	if a.InternalID != "" && (strings.ContainsAny(a.InternalID, ". \t\n") || strings.HasPrefix(a.InternalID, "zvb_")) {
		return nil, logical.Invalid("custom token ID cannot have a dot, white space or the prefix of batch tokens")
	}
	return a, nil
}

// batchable refuses what a batch token cannot have.
func batchable(a *logical.Auth) error {
	switch {
	case a.InternalID != "":
		return logical.Invalid("batch tokens cannot have a custom ID")
	case a.NumUses > 0:
		return logical.Invalid("batch tokens cannot have a number of uses")
	case a.Period > 0:
		return logical.Invalid("batch tokens cannot be periodic")
	case a.ExplicitMaxTTL > 0:
		return logical.Invalid("batch tokens cannot have an explicit max TTL")
	}
	a.Renewable = false
	return nil
}

// displayable keeps letters, digits and dashes of a name.
func displayable(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, name), "-")
}

// clean lower-cases policies.
func clean(list []string) []string {
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return list
}

// bound holds a token without a role to what its maker may give.
func (m *Method) bound(r *logical.Request, a *logical.Auth, maker *token.Entry, orphan bool) error {
	sudo := r.Token.Sudo
	switch {
	case a.InternalID != "" && !sudo:
		return logical.Invalid("root or sudo privileges required to specify token id")
	case a.Orphan && !orphan && !sudo:
		return logical.Invalid("root or sudo privileges required to create orphan token")
	case a.Period > 0 && !sudo:
		return logical.Invalid("root or sudo privileges required to create periodic token")
	case r.Data.String("entity_alias") != "":
		return logical.Invalid("'entity_alias' is only allowed in combination with token role")
	}
	if len(a.Policies) == 0 {
		a.Policies = slices.Clone(maker.Policies)
	}
	if maker.Root() {
		return nil
	}
	if slices.Contains(a.Policies, "root") {
		return logical.Invalid("root tokens may not be created without parent token being root")
	}
	if sudo {
		return nil
	}
	for _, p := range a.Policies {
		if p != "default" && !slices.Contains(maker.Policies, p) {
			return logical.Invalid("child policies must be subset of parent")
		}
	}
	if !slices.Contains(maker.Policies, "default") {
		a.NoDefaultPolicy = true
	}
	return nil
}

// roleFolder is where roles are in the method's storage.
const roleFolder = "role/"

// Role bounds how tokens are made.
type Role struct {
	Name            string         `json:"name"`
	Allowed         []string       `json:"allowed_policies,omitempty"`
	AllowedGlob     []string       `json:"allowed_policies_glob,omitempty"`
	Disallowed      []string       `json:"disallowed_policies,omitempty"`
	DisallowedGlob  []string       `json:"disallowed_policies_glob,omitempty"`
	AllowedAliases  []string       `json:"allowed_entity_aliases,omitempty"`
	Orphan          bool           `json:"orphan,omitempty"`
	Period          time.Duration  `json:"period,omitempty"`
	ExplicitMaxTTL  time.Duration  `json:"explicit_max_ttl,omitempty"`
	PathSuffix      string         `json:"path_suffix,omitempty"`
	NotRenewable    bool           `json:"not_renewable,omitempty"`
	BoundCIDRs      []netip.Prefix `json:"bound_cidrs,omitempty"`
	NoDefaultPolicy bool           `json:"no_default_policy,omitempty"`
	NumUses         int            `json:"num_uses,omitempty"`
	Type            string         `json:"type,omitempty"`
}

// bound holds a token to its role.
func (role *Role) bound(r *logical.Request, a *logical.Auth, maker *token.Entry) (warnings []string, err error) {
	if a.InternalID != "" && !maker.Root() {
		return nil, logical.Invalid("root required to specify token id")
	}
	if len(a.Policies) == 0 {
		a.Policies = slices.Clone(role.Allowed)
		if len(a.Policies) == 0 {
			a.Policies = slices.Clone(maker.Policies)
		}
	}
	if slices.Contains(a.Policies, "root") && !maker.Root() {
		return nil, logical.Invalid("root tokens may not be created from a role without parent token being root")
	}
	if err := role.policies(a, maker, r.Token.Sudo); err != nil {
		return nil, err
	}
	a.NoDefaultPolicy = a.NoDefaultPolicy || role.NoDefaultPolicy
	a.Orphan = role.Orphan
	a.Renewable = a.Renewable && !role.NotRenewable
	if a.NumUses == 0 || role.NumUses > 0 && role.NumUses < a.NumUses {
		a.NumUses = role.NumUses
	}
	if a.Period == 0 || role.Period > 0 {
		a.Period = role.Period
	}
	if role.ExplicitMaxTTL > 0 && (a.ExplicitMaxTTL == 0 || role.ExplicitMaxTTL < a.ExplicitMaxTTL) {
		a.ExplicitMaxTTL = role.ExplicitMaxTTL
	}
	a.BoundCIDRs = role.BoundCIDRs
	a.RoleName = role.Name
	a.PathSuffix = role.PathSuffix
	switch {
	case role.Type == token.Batch || role.Type == "default-batch" && !r.Data.Has("type"):
		a.Batch = true
		return warnings, batchable(a)
	case role.Type == token.Service && a.Batch:
		return nil, logical.Invalid("batch tokens are not allowed by this role")
	}
	return warnings, nil
}

// alias makes the token that of somebody whom the role allows, known by a name in this very method.
func (role *Role) alias(r *logical.Request, a *logical.Auth) error {
	name := r.Data.String("entity_alias")
	if name == "" {
		return nil
	}
	if lower := strings.ToLower(name); !slices.ContainsFunc(role.AllowedAliases, func(p string) bool { return matches(p, lower) }) {
		return logical.Invalid("invalid 'entity_alias' value")
	}
	a.Alias = &logical.Alias{Name: name}
	return nil
}

// matches reports whether a name is as a pattern says, in which a star is any text, slashes and all.
func matches(pattern, name string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, head)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	for _, part := range parts[:len(parts)-1] { // as early as it can be
		_, after, found := strings.Cut(name, part)
		if !found {
			return false
		}
		name = after
	}
	return strings.HasSuffix(name, parts[len(parts)-1])
}

func (role *Role) policies(a *logical.Auth, maker *token.Entry, sudo bool) error {
	limited := len(role.Allowed)+len(role.AllowedGlob) > 0
	for _, p := range a.Policies {
		switch {
		case p == "default" && !slices.Contains(role.Disallowed, "default"):
		case limited && !slices.Contains(role.Allowed, p) && !glob(role.AllowedGlob, p):
			return logical.Invalid("token policies (%q) must be subset of the role's allowed policies (%q) or glob policies (%q)",
				a.Policies, role.Allowed, role.AllowedGlob)
		case slices.Contains(role.Disallowed, p) || glob(role.DisallowedGlob, p):
			return logical.Invalid("token policy %q is disallowed by this role", p)
		case !limited && len(role.Disallowed)+len(role.DisallowedGlob) == 0 && !sudo && !slices.Contains(maker.Policies, p):
			return logical.Invalid("child policies must be subset of parent")
		}
	}
	if slices.Contains(role.Disallowed, "default") {
		a.NoDefaultPolicy = true
	}
	return nil
}

func glob(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return err == nil && ok
	})
}
