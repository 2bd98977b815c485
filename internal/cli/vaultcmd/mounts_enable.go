package vaultcmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// mountFlags are those of enable and tune.
type mountFlags struct {
	description, path, visibility, tokenType, pluginVersion string
	defaultTTL, maxTTL, lockoutTime, lockoutReset           time.Duration
	requestKeys, responseKeys, requestHeaders, headersBack  []string
	options                                                 map[string]string
	version                                                 int
	threshold                                               uint
	noCache, local, sealWrap, entropy, noLockout            bool
}

// shared adds the flags that enable and tune have both.
func (m *mountFlags) shared(f *pflag.FlagSet, k mountKind) {
	f.StringVar(&m.description, "description", "", "what it is for")
	durationFlag(f, &m.defaultTTL, "default-lease-ttl", "how long leases last if nothing else is said")
	durationFlag(f, &m.maxTTL, "max-lease-ttl", "how long leases last at most")
	f.StringVar(&m.visibility, "listing-visibility", "", "unauth: those who are not logged in see it as well")
	f.StringArrayVar(&m.requestKeys, "audit-non-hmac-request-keys", nil, "key of requests that the audit log has in clear; may be given again")
	f.StringArrayVar(&m.responseKeys, "audit-non-hmac-response-keys", nil, "key of answers that the audit log has in clear; may be given again")
	f.StringArrayVar(&m.requestHeaders, "passthrough-request-headers", nil, "header of requests that it sees; may be given again")
	f.StringArrayVar(&m.headersBack, "allowed-response-headers", nil, "header of answers that it may set; may be given again")
	f.Var((*pairs)(&m.options), "options", "key=value of its own options; may be given again")
	f.IntVar(&m.version, "version", 0, "its version, where there are several: 1 or 2 for kv")
	f.StringVar(&m.pluginVersion, "plugin-version", "", "the version of the plugin")
	if k.auth {
		f.StringVar(&m.tokenType, "token-type", "", "the type of the tokens that it gives")
	}
}

// config is what was given of the configuration.
func (m *mountFlags) config(c *call) map[string]any {
	config := map[string]any{}
	for flag, value := range map[string]any{
		"audit-non-hmac-request-keys": m.requestKeys, "audit-non-hmac-response-keys": m.responseKeys, "listing-visibility": m.visibility,
		"passthrough-request-headers": m.requestHeaders, "allowed-response-headers": m.headersBack, "token-type": m.tokenType,
		"plugin-version": m.pluginVersion, "force-no-cache": m.noCache,
	} {
		if c.given(flag) {
			config[strings.ReplaceAll(flag, "-", "_")] = value
		}
	}
	for flag, d := range map[string]time.Duration{"default-lease-ttl": m.defaultTTL, "max-lease-ttl": m.maxTTL} {
		if text := ttlText(d); c.given(flag) && text != "" {
			config[strings.ReplaceAll(flag, "-", "_")] = text
		}
	}
	if m.version > 0 {
		if m.options == nil {
			m.options = map[string]string{}
		}
		m.options["version"] = fmt.Sprint(m.version)
	}
	return config
}

// ttlText is a duration as the server reads it; a negative one is what it has for all, zero is nothing.
func ttlText(d time.Duration) string {
	switch {
	case d < 0:
		return "system"
	case d == 0:
		return ""
	}
	return d.String()
}

func (k mountKind) enableSpec() spec {
	var m mountFlags
	return spec{
		use: "enable TYPE", short: "Make one", least: 1, most: 1, long: "Enable a " + k.name + ".",
		example: map[bool]string{true: "  zvault auth enable -path=team userpass", false: "  zvault secrets enable -path=secret -version=2 kv"}[k.auth],
		flags: func(f *pflag.FlagSet) {
			m.shared(f, k)
			f.StringVar(&m.path, "path", "", "where it is to be (default: its type)")
			f.BoolVar(&m.local, "local", false, "on this cluster alone")
			f.BoolVar(&m.sealWrap, "seal-wrap", false, "wrap what it keeps with the seal as well")
			f.BoolVar(&m.entropy, "external-entropy-access", false, "let it use an external source of entropy")
			if !k.auth {
				f.BoolVar(&m.noCache, "force-no-cache", false, "keep nothing of it in memory")
			}
		},
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			kind := strings.TrimSpace(c.args[0])
			path := slashed(first(m.path, kind))
			body := map[string]any{
				"type": kind, "description": m.description, "config": m.config(c), "local": m.local, "seal_wrap": m.sealWrap,
				"external_entropy_access": m.entropy, "options": m.options,
			}
			if _, err := client.Post(c.ctx, k.path+"/"+clean(path), body); err != nil {
				if k.auth {
					return refused(err, "Error enabling %s auth", kind)
				}
				return refused(err, "Error enabling")
			}
			the := "the "
			if k.auth {
				the = ""
			}
			return c.line("Success! Enabled %s%s %s at: %s", the, kind, k.name, path)
		},
	}
}

func (k mountKind) tuneSpec() spec {
	var m mountFlags
	return spec{
		use: "tune PATH", short: "Change how one is set up", least: 1, most: 1,
		flags: func(f *pflag.FlagSet) {
			m.shared(f, k)
			if k.auth {
				f.UintVar(&m.threshold, "user-lockout-threshold", 0, "how many wrong logins lock a user out")
				durationFlag(f, &m.lockoutTime, "user-lockout-duration", "for how long")
				durationFlag(f, &m.lockoutReset, "user-lockout-counter-reset-duration", "after how long wrong logins are forgotten")
				f.BoolVar(&m.noLockout, "user-lockout-disable", false, "lock nobody out")
			}
		},
		run: func(c *call) error {
			client, err := c.connect()
			if err != nil {
				return err
			}
			body := m.config(c)
			if c.given("description") {
				body["description"] = m.description
			}
			if len(m.options) > 0 {
				body["options"] = m.options
			}
			if lockout := m.lockout(c); len(lockout) > 0 {
				body["user_lockout_config"] = lockout
			}
			path := slashed(clean(c.args[0]))
			if _, err := client.Post(c.ctx, "sys/mounts/"+k.tunePrefix+path+"tune", body); err != nil {
				return refused(err, "Error tuning %s %s", k.name, path)
			}
			return c.line("Success! Tuned the %s at: %s", k.name, path)
		},
	}
}

func (m *mountFlags) lockout(c *call) map[string]any {
	lockout := map[string]any{}
	for flag, entry := range map[string][2]any{
		"user-lockout-threshold":              {"lockout_threshold", fmt.Sprint(m.threshold)},
		"user-lockout-duration":               {"lockout_duration", ttlText(m.lockoutTime)},
		"user-lockout-counter-reset-duration": {"lockout_counter_reset_duration", ttlText(m.lockoutReset)},
		"user-lockout-disable":                {"lockout_disable", m.noLockout},
	} {
		if name, ok := entry[0].(string); ok && c.given(flag) {
			lockout[name] = entry[1]
		}
	}
	return lockout
}
