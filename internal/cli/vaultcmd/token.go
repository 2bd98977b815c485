package vaultcmd

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

func (h *Host) tokenCommands() []*cobra.Command {
	return h.commands(tokenCreateSpec(), tokenLookupSpec(), tokenRenewSpec(), tokenRevokeSpec(), tokenCapabilitiesSpec())
}

// tokenCreate are the flags of token create.
type tokenCreate struct {
	id, displayName, role, kind, alias string
	ttl, explicitMax, period           time.Duration
	renewable, orphan, noDefault       bool
	uses                               int
	metadata                           map[string]string
	policies                           []string
}

func tokenCreateSpec() spec {
	var t tokenCreate
	return spec{
		use: "create", short: "Make a token", field: true, format: true,
		example: "  zvault token create -policy=web -ttl=1h\n  zvault token create -orphan -period=24h -field=token",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&t.id, "id", "", "the token itself; made up by the server if not given")
			f.StringVar(&t.displayName, "display-name", "", "what it is called where tokens are listed")
			durationFlag(f, &t.ttl, "ttl", "how long it lasts")
			durationFlag(f, &t.explicitMax, "explicit-max-ttl", "how long it lasts at most, however often it is renewed")
			durationFlag(f, &t.period, "period", "each renewal gives so much; it does not end otherwise")
			f.BoolVar(&t.renewable, "renewable", true, "it can be renewed")
			f.BoolVar(&t.orphan, "orphan", false, "it does not end with the token that made it")
			f.BoolVar(&t.noDefault, "no-default-policy", false, "without the policy default")
			f.IntVar(&t.uses, "use-limit", 0, "how often it can be used; 0 for as often as wanted")
			f.StringVar(&t.role, "role", "", "the role to make it by")
			f.StringVar(&t.kind, "type", "service", "service or batch")
			f.Var((*pairs)(&t.metadata), "metadata", "key=value to keep beside it; may be given again")
			f.StringArrayVar(&t.policies, "policy", nil, "a policy that it has; may be given again")
			f.StringVar(&t.alias, "entity-alias", "", "the alias of its entity; with -role")
		},
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			path := "auth/token/create"
			if t.role != "" {
				path += "/" + t.role
			}
			s, err := client.Post(c.ctx, path, t.body())
			if err != nil {
				return refused(err, "Error creating token")
			}
			return c.secret(s)
		},
	}
}

// body is what is sent; the server knows zero durations for not given.
func (t *tokenCreate) body() map[string]any {
	body := map[string]any{
		"ttl": t.ttl.String(), "explicit_max_ttl": t.explicitMax.String(), "period": t.period.String(), "display_name": t.displayName,
		"num_uses": t.uses, "renewable": t.renewable && t.kind != "batch", "type": t.kind,
	}
	for name, value := range map[string]string{"id": t.id, "entity_alias": t.alias} {
		if value != "" {
			body[name] = value
		}
	}
	for name, value := range map[string]bool{"no_parent": t.orphan, "no_default_policy": t.noDefault} {
		if value {
			body[name] = true
		}
	}
	if len(t.policies) > 0 {
		body["policies"] = t.policies
	}
	if len(t.metadata) > 0 {
		body["meta"] = t.metadata
	}
	return body
}

func accessorFlag(f *pflag.FlagSet, to *bool) {
	f.BoolVar(to, "accessor", false, "the argument is an accessor instead of a token")
}

func tokenLookupSpec() spec {
	var accessor bool
	return spec{
		use: "lookup [TOKEN | -accessor ACCESSOR]", short: "Show what is known of a token", most: 1, format: true, field: true,
		long:  "Show what is known of a token: of the one that asks, if none is given.",
		flags: func(f *pflag.FlagSet) { accessorFlag(f, &accessor) },
		run: func(c *call) error {
			if accessor && len(c.args) == 0 {
				return usage("Not enough arguments with -accessor (expected 1, got 0)")
			}
			client, err := c.connect()
			if err != nil {
				return err
			}
			r := vaultclient.Request{Method: http.MethodGet, Path: "auth/token/lookup-self"}
			if len(c.args) == 1 {
				r = onToken(http.MethodPost, "lookup", accessor, c.args[0])
			}
			s, err := client.Call(c.ctx, r)
			if err != nil {
				return refused(err, "Error looking up token")
			}
			return c.secret(s)
		},
	}
}

// onToken is a request about a token or, at a path of its own, an accessor.
func onToken(method, action string, accessor bool, which string) vaultclient.Request {
	which = strings.TrimSpace(which)
	if accessor {
		return vaultclient.Request{Method: http.MethodPost, Path: "auth/token/" + action + "-accessor", Body: map[string]any{"accessor": which}}
	}
	return vaultclient.Request{Method: method, Path: "auth/token/" + action, Body: map[string]any{"token": which}}
}

func tokenRenewSpec() spec {
	var accessor bool
	var increment time.Duration
	return spec{
		use: "renew [TOKEN | -accessor ACCESSOR]", short: "Renew a token", most: 1, format: true, field: true,
		long: "Renew a token: the one that asks, if none is given.",
		flags: func(f *pflag.FlagSet) {
			accessorFlag(f, &accessor)
			durationFlag(f, &increment, "increment", "for how much longer; the server may give less")
		},
		run: func(c *call) error {
			if accessor && len(c.args) == 0 {
				return usage("Not enough arguments with -accessor (expected 1, got 0)")
			}
			client, err := c.connect()
			if err != nil {
				return err
			}
			r := vaultclient.Request{Method: http.MethodPut, Path: "auth/token/renew-self", Body: map[string]any{}}
			if len(c.args) == 1 {
				r = onToken(http.MethodPut, "renew", accessor, c.args[0])
			}
			if body, ok := r.Body.(map[string]any); ok {
				body["increment"] = int(increment.Seconds())
			}
			s, err := client.Call(c.ctx, r)
			if err != nil {
				return refused(err, "Error renewing token")
			}
			return c.secret(s)
		},
	}
}

func tokenRevokeSpec() spec {
	var accessor, self bool
	var mode string
	return spec{
		use: "revoke [TOKEN | -accessor ACCESSOR | -self]", short: "Revoke a token and those that it made", most: 1,
		flags: func(f *pflag.FlagSet) {
			accessorFlag(f, &accessor)
			f.BoolVar(&self, "self", false, "the token that asks")
			f.StringVar(&mode, "mode", "", "orphan: leave those that it made; path: the argument is a path, all tokens of which go")
		},
		run: func(c *call) error {
			r, err := revocation(c.args, accessor, self, mode)
			if err != nil {
				return err
			}
			client, err := c.connect()
			if err != nil {
				return err
			}
			if _, err := client.Call(c.ctx, r); err != nil {
				return refused(err, "Error revoking token")
			}
			return c.line("Success! Revoked token (if it existed)")
		},
	}
}

// revocation works out what is asked for, and refuses what does not go together.
func revocation(args []string, accessor, self bool, mode string) (vaultclient.Request, error) {
	none := vaultclient.Request{}
	switch {
	case mode != "" && mode != "orphan" && mode != "path":
		return none, usage("Invalid mode: %s", mode)
	case self && len(args) > 0:
		return none, usage("Too many arguments with -self (expected 0, got %d)", len(args))
	case !self && len(args) == 0:
		return none, usage("Not enough arguments (expected 1 or -self, got 0)")
	case self && accessor:
		return none, usage("Cannot use -self with -accessor!")
	case self && mode != "":
		return none, usage("Cannot use -self with -mode!")
	case accessor && mode != "":
		return none, usage("Cannot use -accessor with -mode=%s!", mode)
	case self:
		return vaultclient.Request{Method: http.MethodPut, Path: "auth/token/revoke-self"}, nil
	case mode == "path":
		return vaultclient.Request{Method: http.MethodPut, Path: "sys/leases/revoke-prefix/" + clean(args[0])}, nil
	case mode == "orphan":
		return onToken(http.MethodPut, "revoke-orphan", false, args[0]), nil
	}
	return onToken(http.MethodPut, "revoke", accessor, args[0]), nil
}

func tokenCapabilitiesSpec() spec {
	return spec{
		use: "capabilities [TOKEN] PATH", short: "Show what a token may do with a path", least: 1, most: 2, format: true,
		long: "Show what a token may do with a path: the one that asks, if none is given.",
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			place, body, path := "sys/capabilities-self", map[string]any{}, c.args[0]
			if len(c.args) == 2 {
				place, path = "sys/capabilities", c.args[1]
				body["token"] = strings.TrimSpace(c.args[0])
			}
			body["paths"] = []string{path}
			s, err := client.Post(c.ctx, place, body)
			if err != nil {
				return refused(err, "Error listing capabilities")
			}
			var found []string
			if s != nil {
				found = textList(s.Data["capabilities"])
				if found == nil {
					found = textList(s.Data[path])
				}
			}
			if found == nil {
				return usage("No capabilities found")
			}
			if c.format != asTable {
				return c.document(found)
			}
			slices.Sort(found)
			return c.line("%s", strings.Join(found, ", "))
		},
	}
}
