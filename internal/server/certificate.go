package server

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"
)

// certificate is the server's, which can be loaded anew while it serves.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

// load reads the certificate and its key. If that fails the one there is stays.
func (c *certificate) load(certFile, keyFile string) error {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return fmt.Errorf("loading the certificate: %w", err)
	}
	c.current.Store(&pair)
	return nil
}

// config serves TLS 1.3 with whatever certificate is current.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
