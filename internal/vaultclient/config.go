package vaultclient

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DefaultAddress is the server that is talked to if nothing names another.
const DefaultAddress = "http://127.0.0.1:8200"

// Config is all that a client needs to know. The zero value of every field but Address is a sound one.
type Config struct {
	// Address is http://HOST:PORT, https://HOST:PORT or unix:///PATH. Required.
	Address string
	// Token is sent as X-Vault-Token; "" sends none.
	Token string
	// Namespace is sent as X-Vault-Namespace; "" is the root.
	Namespace string
	// WrapTTL is sent as X-Vault-Wrap-TTL; "" asks for no wrapping.
	WrapTTL string
	// MFA are sent as X-Vault-MFA.
	MFA []string
	// Headers are sent along; their names do not start with X-Vault-.
	Headers map[string]string
	TLS     TLS
	// Timeout is that of one request with its repetitions; 0 is 60 seconds, negative is none.
	Timeout time.Duration
	// MaxRetries is how often a request is repeated after a failed connection, a 412 or a 5xx other than 501.
	MaxRetries int
	// NoRedirects makes a redirect an answer like any other; else one is followed.
	NoRedirects bool
}

// TLS says whom to trust and who we are. Paths are of PEM files.
type TLS struct {
	// CACert is a file and CAPEM the text itself; CAPath is a folder of such files. Without any the system's roots are trusted.
	CACert, CAPEM, CAPath string
	// ClientCert and ClientKey are given both or not at all.
	ClientCert, ClientKey string
	// ServerName is what the server's certificate must be for; "" is the address's host.
	ServerName string
	// SkipVerify trusts anyone.
	SkipVerify bool
}

// FromEnvironment reads the variables that Vault's clients read. ZVAULT_ADDR and ZVAULT_TOKEN count where Vault's own are
// not set. Without an address it is [DefaultAddress]; without VAULT_MAX_RETRIES nothing is repeated, as with Vault's command
// line.
func FromEnvironment(getenv func(string) string) (Config, error) {
	c := Config{
		Address: first(getenv("VAULT_AGENT_ADDR"), getenv("VAULT_ADDR"), getenv("ZVAULT_ADDR"), DefaultAddress),
		Token:   first(getenv("VAULT_TOKEN"), getenv("ZVAULT_TOKEN")), Namespace: getenv("VAULT_NAMESPACE"), WrapTTL: getenv("VAULT_WRAP_TTL"),
		TLS: TLS{
			CACert: getenv("VAULT_CACERT"), CAPEM: getenv("VAULT_CACERT_BYTES"), CAPath: getenv("VAULT_CAPATH"),
			ClientCert: getenv("VAULT_CLIENT_CERT"), ClientKey: getenv("VAULT_CLIENT_KEY"), ServerName: getenv("VAULT_TLS_SERVER_NAME"),
		},
	}
	if mfa := getenv("VAULT_MFA"); mfa != "" {
		c.MFA = []string{mfa}
	}
	for name, field := range map[string]*bool{"VAULT_SKIP_VERIFY": &c.TLS.SkipVerify, "VAULT_DISABLE_REDIRECTS": &c.NoRedirects} {
		if err := parse(getenv, name, field, strconv.ParseBool); err != nil {
			return Config{}, err
		}
	}
	if err := parse(getenv, "VAULT_MAX_RETRIES", &c.MaxRetries, parseCount); err != nil {
		return Config{}, err
	}
	return c, parse(getenv, "VAULT_CLIENT_TIMEOUT", &c.Timeout, ParseDuration)
}

// parse reads a variable into a field, if it is set.
func parse[T any](getenv func(string) string, name string, field *T, read func(string) (T, error)) error {
	text := getenv(name)
	if text == "" {
		return nil
	}
	value, err := read(text)
	if err != nil {
		return fmt.Errorf("reading %s: %q is not what it takes: %w", name, text, err)
	}
	*field = value
	return nil
}

func parseCount(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err
}

// ParseDuration reads a duration as Vault does: 30s, 1h30m, a bare number of seconds, or days as 7d.
func ParseDuration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	unit := time.Second
	number, days := strings.CutSuffix(text, "d")
	if days {
		unit = 24 * time.Hour
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		d := time.Duration(n) * unit
		if d/unit != time.Duration(n) {
			return 0, fmt.Errorf("the duration %q is too long", text)
		}
		return d, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 30s, 5m or 7d", text)
	}
	return d, nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
