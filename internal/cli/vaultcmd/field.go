package vaultcmd

import (
	"fmt"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// fieldOf finds a field by the name that the table has it under; nil if there is none.
func fieldOf(s *vaultclient.Secret, name string) any {
	var known map[string]any
	switch {
	case s.Auth != nil:
		known = authFields(s.Auth)
	case s.WrapInfo != nil:
		known = wrapFields(s.WrapInfo)
	default:
		known = map[string]any{
			"lease_duration": s.LeaseDuration, "lease_id": s.LeaseID, "request_id": s.RequestID, "renewable": s.Renewable,
			"refresh_interval": s.LeaseDuration, "data": s.Data,
		}
		if inner, ok := s.Data["data"]; ok {
			known["data"] = inner
		}
	}
	if v, ok := known[name]; ok {
		return v
	}
	return s.Data[name]
}

func authFields(a *vaultclient.Auth) map[string]any {
	return map[string]any{
		"token": a.ClientToken, "token_accessor": a.Accessor, "token_duration": a.LeaseDuration, "token_renewable": a.Renewable,
		"token_policies": a.TokenPolicies, "identity_policies": a.IdentityPolicies, "policies": a.Policies,
	}
}

func wrapFields(w *vaultclient.WrapInfo) map[string]any {
	return map[string]any{
		"wrapping_token": w.Token, "wrapping_accessor": w.Accessor, "wrapping_token_ttl": w.TTL,
		"wrapping_token_creation_time": w.CreationTime.Format(time.RFC3339Nano), "wrapping_token_creation_path": w.CreationPath,
		"wrapped_accessor": w.WrappedAccessor,
	}
}

// one writes the value of the field that was asked for: as it is, or in the format that was asked for.
func (c *call) one(v any) error {
	if v == nil {
		return usage("Field %q not present in secret", c.field)
	}
	if c.format == asTable || c.format == asRaw {
		return c.bare(fmt.Sprint(v))
	}
	text, err := c.encode(v)
	if err != nil {
		return broken(err, "writing output")
	}
	return c.bare(text)
}

// bare writes a text with a newline only on a terminal, so that what a pipe or a file gets is the value alone.
func (c *call) bare(text string) error {
	if c.Terminal {
		text += "\n"
	}
	return c.print(text)
}
