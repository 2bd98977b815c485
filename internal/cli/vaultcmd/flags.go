package vaultcmd

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// common are the flags that every command has.
type common struct {
	address, agentAddress, namespace, ns string
	tls                                  vaultclient.TLS
	wrapTTL                              time.Duration
	mfa                                  []string
	headers                              map[string]string
	noRedirects, curl, nonInteractive    bool

	field, format string
	detailed      bool
}

// Formats of output.
const (
	asTable = "table"
	asJSON  = "json"
	asYAML  = "yaml"
	asRaw   = "raw"
)

// register adds the flags to a command. Those of the connection are the same everywhere, so that help leaves them out and
// `zvault help vault` has them.
func (f *common) register(to *pflag.FlagSet, s spec) {
	hidden := pflag.NewFlagSet("", pflag.ContinueOnError)
	hidden.StringVar(&f.address, "address", "", "the server")
	hidden.StringVar(&f.agentAddress, "agent-address", "", "the agent")
	hidden.StringVar(&f.tls.CACert, "ca-cert", "", "file with the authority to trust")
	hidden.StringVar(&f.tls.CAPath, "ca-path", "", "folder with authorities to trust")
	hidden.StringVar(&f.tls.ClientCert, "client-cert", "", "our certificate")
	hidden.StringVar(&f.tls.ClientKey, "client-key", "", "its key")
	hidden.StringVar(&f.namespace, "namespace", "", "namespace")
	hidden.StringVar(&f.ns, "ns", "", "namespace")
	hidden.StringVar(&f.tls.ServerName, "tls-server-name", "", "name in the server's certificate")
	hidden.BoolVar(&f.tls.SkipVerify, "tls-skip-verify", false, "trust any server")
	hidden.BoolVar(&f.noRedirects, "disable-redirects", false, "follow no redirect")
	hidden.Var((*seconds)(&f.wrapTTL), "wrap-ttl", "wrap the answer")
	hidden.StringArrayVar(&f.mfa, "mfa", nil, "second factor")
	hidden.Var((*pairs)(&f.headers), "header", "another header")
	hidden.BoolVar(&f.curl, "output-curl-string", false, "print the request instead")
	hidden.BoolVar(&f.nonInteractive, "non-interactive", false, "ask nothing")
	if !s.format {
		hidden.StringVar(&f.format, "format", "", "table, json or yaml")
	}
	hidden.VisitAll(func(flag *pflag.Flag) { flag.Hidden = true })
	to.AddFlagSet(hidden)
	if s.format {
		to.StringVar(&f.format, "format", "", "table, json or yaml (default: $VAULT_FORMAT, else table)")
	}
	if s.field {
		to.StringVar(&f.field, "field", "", "print only this field, without a newline into a pipe")
	}
	if s.detailed {
		to.BoolVar(&f.detailed, "detailed", false, "print more about each")
	}
}

// settle works out the format: flag over --json over the environment.
func (f *common) settle(h *Host, s spec) error {
	asked := f.format
	if asked == "" && h.JSON() {
		asked = asJSON
	}
	f.format = strings.ToLower(first(asked, h.Getenv("VAULT_FORMAT"), asTable))
	if f.format == "yml" {
		f.format = asYAML
	}
	if !slices.Contains([]string{asTable, asJSON, asYAML, asRaw}, f.format) {
		return usage("Invalid output format: %s", f.format)
	}
	if f.format == asRaw && !s.raw {
		return usage("-format=raw is for `read` alone")
	}
	return nil
}

// config is what the environment says, with the flags over it.
func (f *common) config(c *call) (vaultclient.Config, error) {
	config, err := vaultclient.FromEnvironment(c.Getenv)
	if err != nil {
		return config, err
	}
	config.Address = first(f.agentAddress, f.address, config.Address)
	config.Headers = f.headers
	for _, flag := range []struct {
		over, under *string
	}{
		{&f.tls.CACert, &config.TLS.CACert}, {&f.tls.CAPath, &config.TLS.CAPath}, {&f.tls.ClientCert, &config.TLS.ClientCert},
		{&f.tls.ClientKey, &config.TLS.ClientKey}, {&f.tls.ServerName, &config.TLS.ServerName},
	} {
		*flag.under = first(*flag.over, *flag.under)
	}
	if f.tls.CAPath != "" && f.tls.CACert == "" {
		config.TLS.CACert, config.TLS.CAPEM = "", "" // a folder that was asked for goes before a file that was not
	}
	if c.given("tls-skip-verify") {
		config.TLS.SkipVerify = f.tls.SkipVerify
	}
	if c.given("disable-redirects") {
		config.NoRedirects = f.noRedirects
	}
	if c.given("namespace") {
		config.Namespace = f.namespace
	}
	if c.given("ns") {
		config.Namespace = f.ns
	}
	config.Namespace = namespacePath(config.Namespace)
	if len(f.mfa) > 0 {
		config.MFA = f.mfa
	}
	if f.wrapTTL != 0 {
		config.WrapTTL = f.wrapTTL.String()
	}
	return config, nil
}

// namespacePath is a namespace as the header has it: no slash before, one behind; the root is empty.
func namespacePath(name string) string {
	name = strings.Trim(strings.TrimSpace(name), "/")
	if name == "" || name == "root" {
		return ""
	}
	return name + "/"
}

// seconds is a flag that holds a duration as Vault reads it; "system" is -1s: what the server has for all.
type seconds time.Duration

// String is empty for zero, so that help does not call it a default.
func (s *seconds) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

// Type is what help calls the value.
func (s *seconds) Type() string { return "duration" }

// Set reads the value.
func (s *seconds) Set(text string) error {
	if text == "system" {
		text = "-1"
	}
	d, err := vaultclient.ParseDuration(text)
	*s = seconds(d)
	return err
}

// pairs is a flag given as often as wanted, as key=value.
type pairs map[string]string

// String is empty: the values may be secret.
func (p *pairs) String() string { return "" }

// Type is what help calls the value.
func (p *pairs) Type() string { return "key=value" }

// Set reads one pair.
func (p *pairs) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("it is not key=value")
	}
	if *p == nil {
		*p = pairs{}
	}
	(*p)[key] = value
	return nil
}

// durationFlag adds a flag that holds a duration.
func durationFlag(f *pflag.FlagSet, to *time.Duration, name, usage string) {
	f.Var((*seconds)(to), name, usage)
}
