// Package authority is the certificate authority of one shielded run, and what makes the run's programs trust it.
//
// Its key is made at the start, never leaves this process's memory, and is gone with it. Where the hosts that the shield looks
// into are known, the authority is constrained to them (RFC 5280, 4.2.1.10): for any other name its certificates are worthless.
// Start with [New], then [Authority.Certificate] for TLS and [Install] for the programs.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"time"
)

// lifetime is how long the certificates are valid: longer than any run, shorter than browsers refuse.
const lifetime = 30 * 24 * time.Hour

// Scope is what an authority may vouch for. The zero Scope is everything.
type Scope struct {
	// Domains are names; each stands also for all below it.
	Domains []string
	// Networks are addresses.
	Networks []netip.Prefix
}

// Authority signs certificates. It is safe for concurrent use.
type Authority struct {
	certificate *x509.Certificate
	der         []byte
	key         *ecdsa.PrivateKey
	leafKey     *ecdsa.PrivateKey // of all its certificates: making one costs more than signing
	now         func() time.Time

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

// New makes an authority. now is the clock.
func New(scope Scope, now func() time.Time) (*Authority, error) {
	a := &Authority{now: now, leaves: map[string]*tls.Certificate{}}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("making the key of the shield's authority: %w", err)
	}
	if a.leafKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("making the key of the shield's certificates: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "ZVault shield, for one run"},
		NotBefore:             now().Add(-time.Hour),
		NotAfter:              now().Add(lifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	scope.constrain(template)
	if a.der, err = x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key); err != nil {
		return nil, fmt.Errorf("signing the certificate of the shield's authority: %w", err)
	}
	if a.certificate, err = x509.ParseCertificate(a.der); err != nil {
		return nil, fmt.Errorf("reading the certificate of the shield's authority: %w", err)
	}
	return a, nil
}

// constrain writes the scope into a certificate. Names alone would leave addresses free, and the other way round.
func (s Scope) constrain(c *x509.Certificate) {
	if len(s.Domains) == 0 && len(s.Networks) == 0 {
		return
	}
	c.PermittedDNSDomainsCritical = true
	c.PermittedDNSDomains = s.Domains
	if len(s.Domains) == 0 {
		c.PermittedDNSDomains = []string{"invalid"} // a name that nobody has (RFC 6761)
	}
	for _, n := range s.Networks {
		n = n.Masked()
		c.PermittedIPRanges = append(c.PermittedIPRanges, &net.IPNet{IP: n.Addr().AsSlice(), Mask: net.CIDRMask(n.Bits(), n.Addr().BitLen())})
	}
	if len(s.Networks) == 0 {
		for _, all := range []string{"0.0.0.0/0", "::/0"} {
			n := netip.MustParsePrefix(all)
			c.ExcludedIPRanges = append(c.ExcludedIPRanges, &net.IPNet{IP: n.Addr().AsSlice(), Mask: net.CIDRMask(0, n.Addr().BitLen())})
		}
	}
}

func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.der})
}

// DER is the authority's certificate.
func (a *Authority) DER() []byte { return a.der }

// Certificate returns a certificate for a host, a name or an address, made the first time that it is asked for.
func (a *Authority) Certificate(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.leaves[host]; ok {
		return c, nil
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{Organization: []string{"ZVault shield"}},
		NotBefore:    a.certificate.NotBefore,
		NotAfter:     a.certificate.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		template.IPAddresses = []net.IP{addr.Unmap().AsSlice()}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, a.leafKey.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate for %q: %w", host, err)
	}
	c := &tls.Certificate{Certificate: [][]byte{der, a.der}, PrivateKey: a.leafKey}
	a.leaves[host] = c
	return c, nil
}
