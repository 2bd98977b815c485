package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// The choices of a Config, for those who list them.
var (
	storages   = []string{"sqlite", "bbolt", "memory"}
	sealNames  = []string{"keyfile", "env", "shamir"}
	auditSyncs = []string{"disk", "os"}
)

// Validate says what is wrong with a configuration, all at once, without opening or making anything but the certificate.
func (c Config) Validate() error {
	var errs []error
	choose := func(what, got string, from []string) {
		if got != "" && !slices.Contains(from, got) {
			errs = append(errs, fmt.Errorf("unknown %s %q: choose %s", what, got, strings.Join(from, ", ")))
		}
	}
	choose("storage", c.Storage, storages)
	choose("seal", c.Seal, sealNames)
	choose("audit sync", c.AuditSync, auditSyncs)
	if _, err := ParseLevel(c.LogLevel); err != nil {
		errs = append(errs, err)
	}
	if c.CacheMB < 0 {
		errs = append(errs, fmt.Errorf("a cache of %d MB is less than none", c.CacheMB))
	}
	if c.Database != "" {
		errs = append(errs, c.checkDatabase())
	}
	return errors.Join(append(errs, c.checkListen())...)
}

func (c Config) checkDatabase() error {
	u, err := url.Parse(c.Database) // whose error may hold the password, so it is not shown
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "" {
		return errors.New("the database is no URL of the form postgres://user@host/name")
	}
	if c.Storage != "" {
		return fmt.Errorf("storage %q and a database: choose one", c.Storage)
	}
	if c.Seal == "keyfile" && c.Dir == "" {
		return errors.New("a key file needs a data directory: give --data, or choose --seal env or shamir")
	}
	return nil
}

// checkListen says whether the address can be served with the certificate there is.
func (c Config) checkListen() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("%q is no address to listen on: write host:port", c.Listen)
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return errors.New("a certificate needs its key, and a key its certificate: give both --tls-cert and --tls-key")
	}
	if c.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile); err != nil {
			return fmt.Errorf("loading the certificate: %w", err)
		}
		return nil
	}
	a, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !a.IsLoopback()) {
		return fmt.Errorf("%s is not loopback: give --tls-cert and --tls-key, or listen on 127.0.0.1", c.Listen)
	}
	return nil
}

// ParseLevel reads a level of the log: debug, info, warn or error; empty is info.
func ParseLevel(text string) (slog.Level, error) {
	var l slog.Level
	if text == "" {
		return slog.LevelInfo, nil
	}
	if err := l.UnmarshalText([]byte(text)); err != nil || strings.ContainsAny(text, "+-") {
		return 0, fmt.Errorf("unknown log level %q: choose debug, info, warn or error", text)
	}
	return l, nil
}
