// Package tokenfields is what all auth methods share: the token_* parameters of a role or user, which say what tokens it gets.
package tokenfields

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// Params are the parameters, as they are kept with a role.
type Params struct {
	TTL            time.Duration  `json:"token_ttl,omitempty"`
	MaxTTL         time.Duration  `json:"token_max_ttl,omitempty"`
	ExplicitMaxTTL time.Duration  `json:"token_explicit_max_ttl,omitempty"`
	Period         time.Duration  `json:"token_period,omitempty"`
	Policies       []string       `json:"token_policies,omitempty"`
	BoundCIDRs     []netip.Prefix `json:"token_bound_cidrs,omitempty"`
	NoDefault      bool           `json:"token_no_default_policy,omitempty"`
	NumUses        int            `json:"token_num_uses,omitempty"`
	Type           string         `json:"token_type,omitempty"`
}

// Fields describes the parameters.
func Fields() []logical.Field {
	return []logical.Field{
		{Name: "token_ttl", Type: logical.Seconds, Help: "How long tokens live at first."},
		{Name: "token_max_ttl", Type: logical.Seconds, Help: "How long they can be renewed to live."},
		{Name: "token_explicit_max_ttl", Type: logical.Seconds, Help: "The end that no later change moves."},
		{Name: "token_period", Type: logical.Seconds, Help: "Renewals give this much, without end."},
		{Name: "token_policies", Type: logical.CommaList, Help: "What tokens may do."},
		{Name: "token_bound_cidrs", Type: logical.CommaList, Help: "Networks that logins and tokens are bound to."},
		{Name: "token_no_default_policy", Type: logical.Bool, Help: "Leave the default policy out."},
		{Name: "token_num_uses", Type: logical.Int, Help: "How often a token may be used; 0: any number."},
		{Name: "token_type", Type: logical.String, Default: "default", Help: "service, batch or default."},
		{Name: "policies", Type: logical.CommaList, Help: "The older name of token_policies."},
		{Name: "period", Type: logical.Seconds, Help: "The older name of token_period."},
	}
}

// Set takes over what was given.
func (p *Params) Set(d logical.Data) error {
	for _, f := range []struct {
		to    *time.Duration
		names []string
	}{
		{&p.TTL, []string{"token_ttl"}}, {&p.MaxTTL, []string{"token_max_ttl"}}, {&p.ExplicitMaxTTL, []string{"token_explicit_max_ttl"}},
		{&p.Period, []string{"period", "token_period"}},
	} {
		for _, name := range f.names {
			if d.Has(name) {
				*f.to = d.Duration(name)
			}
		}
		if *f.to < 0 {
			return logical.Invalid("'%s' cannot be negative", f.names[len(f.names)-1])
		}
	}
	for _, name := range []string{"policies", "token_policies"} {
		if d.Has(name) {
			p.Policies = Policies(d.Strings(name))
		}
	}
	if d.Has("token_bound_cidrs") {
		bounds, err := Networks(d.Strings("token_bound_cidrs"))
		if err != nil {
			return err
		}
		p.BoundCIDRs = bounds
	}
	if d.Has("token_no_default_policy") {
		p.NoDefault = d.Bool("token_no_default_policy")
	}
	if d.Has("token_num_uses") {
		p.NumUses = d.Int("token_num_uses")
	}
	if d.Has("token_type") {
		p.Type = strings.TrimPrefix(d.String("token_type"), "default-")
	}
	return p.check()
}

func (p *Params) check() error {
	switch {
	case p.NumUses < 0:
		return logical.Invalid("'token_num_uses' cannot be negative")
	case p.TTL > p.MaxTTL && p.MaxTTL > 0:
		return logical.Invalid("'token_ttl' cannot be greater than 'token_max_ttl'")
	case !slices.Contains([]string{"", "default", "service", "batch"}, p.Type):
		return logical.Invalid("invalid 'token_type' value %q", p.Type)
	case p.Type == "batch" && (p.NumUses > 0 || p.Period > 0 || p.ExplicitMaxTTL > 0):
		return logical.Invalid("'token_type' cannot be 'batch' when set to generate tokens with limited use count, a period or an explicit max TTL")
	case slices.Contains(p.Policies, "root"):
		return logical.Invalid("the root policy cannot be given by an auth method")
	}
	return nil
}

// Policies lower-cases names, sorts them, and drops what is there twice.
func Policies(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, strings.ToLower(n))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Describe adds the parameters to what a read of a role answers.
func (p *Params) Describe(data map[string]any) {
	kind := p.Type
	if kind == "" {
		kind = "default"
	}
	data["token_ttl"], data["token_max_ttl"] = int64(p.TTL/time.Second), int64(p.MaxTTL/time.Second)
	data["token_explicit_max_ttl"], data["token_period"] = int64(p.ExplicitMaxTTL/time.Second), int64(p.Period/time.Second)
	data["token_policies"], data["token_bound_cidrs"] = orEmpty(p.Policies), orEmpty(p.BoundCIDRs)
	data["token_no_default_policy"], data["token_num_uses"], data["token_type"] = p.NoDefault, p.NumUses, kind
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Auth begins the answer to a login.
func (p *Params) Auth() *logical.Auth {
	return &logical.Auth{
		Policies: slices.Clone(p.Policies), NoDefaultPolicy: p.NoDefault, TTL: p.TTL, MaxTTL: p.MaxTTL, ExplicitMaxTTL: p.ExplicitMaxTTL,
		Period: p.Period, NumUses: p.NumUses, BoundCIDRs: p.BoundCIDRs, Batch: p.Type == "batch", Renewable: p.Type != "batch",
	}
}

// Renewal answers a renewal by what the role says now.
func (p *Params) Renewal() *logical.Response {
	return &logical.Response{Auth: &logical.Auth{TTL: p.TTL, MaxTTL: p.MaxTTL, Period: p.Period}}
}

// Networks reads addresses and networks.
func Networks(texts []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(texts))
	for _, t := range texts {
		if a, err := netip.ParseAddr(t); err == nil {
			out = append(out, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(t)
		if err != nil {
			return nil, logical.Invalid("%q is neither an address nor a network", t)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// Within reports whether an address is in one of the networks; without any it is.
func Within(a netip.Addr, bounds []netip.Prefix) bool {
	return len(bounds) == 0 || slices.ContainsFunc(bounds, func(b netip.Prefix) bool { return b.Contains(a.Unmap()) })
}
