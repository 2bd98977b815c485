package vaultclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// tls reads the files that the configuration names.
func (c Config) tls() (*tls.Config, error) {
	roots, err := c.TLS.roots()
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: c.TLS.ServerName,
		InsecureSkipVerify: c.TLS.SkipVerify, //nolint:gosec // only if the user asks for it
	}
	switch {
	case c.TLS.ClientCert == "" && c.TLS.ClientKey == "":
		return config, nil
	case c.TLS.ClientCert == "" || c.TLS.ClientKey == "":
		return nil, errors.New("a client certificate and its key are given together or not at all")
	}
	pair, err := tls.LoadX509KeyPair(c.TLS.ClientCert, c.TLS.ClientKey)
	if err != nil {
		return nil, fmt.Errorf("reading the client certificate: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// roots are the authorities to trust; nil for the system's. A file goes before a text, a text before a folder.
func (t TLS) roots() (*x509.CertPool, error) {
	switch {
	case t.CACert != "":
		pool := x509.NewCertPool()
		return pool, addFile(pool, t.CACert)
	case t.CAPEM != "":
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(t.CAPEM)) {
			return nil, errors.New("reading VAULT_CACERT_BYTES: it holds no certificate")
		}
		return pool, nil
	case t.CAPath != "":
		return folder(t.CAPath)
	}
	return nil, nil
}

func folder(path string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("reading the folder of authorities: %w", err)
	}
	found := false
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if err := addFile(pool, filepath.Join(path, e.Name())); err != nil {
			return nil, err
		}
		found = true
	}
	if !found {
		return nil, fmt.Errorf("reading the folder of authorities: %q holds no file", path)
	}
	return pool, nil
}

func addFile(pool *x509.CertPool, path string) error {
	pem, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading an authority's certificate: %w", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("reading an authority's certificate: %q holds none", path)
	}
	return nil
}
