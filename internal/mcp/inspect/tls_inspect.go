package inspect

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type tlsIn struct {
	Host string `json:"host" jsonschema:"name or address of the host"`
	Port int    `json:"port,omitempty" jsonschema:"443 unless given"`
	Name string `json:"name,omitempty" jsonschema:"the server name to ask for; the host unless given"`
}

type certificate struct {
	Subject   string   `json:"subject"`
	Issuer    string   `json:"issuer"`
	Names     []string `json:"names" jsonschema:"the names and addresses that it is for"`
	NotBefore string   `json:"not_before"`
	NotAfter  string   `json:"not_after"`
	DaysLeft  int      `json:"days_left"`
	SHA256    string   `json:"sha256" jsonschema:"fingerprint"`
	Key       string   `json:"key" jsonschema:"the kind of key"`
	Signature string   `json:"signature" jsonschema:"how it was signed"`
}

type tlsOut struct {
	Trusted      bool          `json:"trusted" jsonschema:"whether a client on this machine would accept it for this name now"`
	Problem      string        `json:"problem,omitempty" jsonschema:"why not"`
	Version      string        `json:"version"`
	Cipher       string        `json:"cipher"`
	Protocol     string        `json:"protocol,omitempty" jsonschema:"what was agreed to speak: h2, http/1.1"`
	Certificates []certificate `json:"certificates" jsonschema:"the server's first"`
}

func tlsInspect() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "tls_inspect", Title: "Look at a TLS certificate", Set: tool.Inspect,
		Text:     "Shows which certificates a server presents, until when, for which names, and whether they are trusted.",
		ReadOnly: true, Idempotent: true, OpenWorld: true, Outside: true,
	}, inspectTLS)
}

func inspectTLS(ctx context.Context, c *tool.Call, in tlsIn) (*tlsOut, error) {
	if in.Port == 0 {
		in.Port = 443
	}
	if in.Name == "" {
		in.Name = in.Host
	}
	if err := permit(ctx, c, "tls_inspect", "tls", in.Host, in.Port); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Limits.Time)
	defer cancel()
	conn, err := c.Dialer.DialContext(ctx, "tcp", net.JoinHostPort(in.Host, strconv.Itoa(in.Port)))
	if err != nil {
		return nil, unreachable(in.Host, err)
	}
	// Nothing is sent over this connection; whether to trust it is what is to be found out.
	t := tls.Client(conn, &tls.Config{ServerName: in.Name, InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS10}) //nolint:gosec // see above
	defer func() { _ = t.Close() }()
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, tool.Failed("failed", "%s does not speak TLS on port %d, or refuses: %s", in.Host, in.Port, err)
	}
	s := t.ConnectionState()
	out := &tlsOut{Version: tls.VersionName(s.Version), Cipher: tls.CipherSuiteName(s.CipherSuite), Protocol: s.NegotiatedProtocol, Certificates: []certificate{}}
	now := time.Now()
	between := x509.NewCertPool()
	for i, one := range s.PeerCertificates {
		if i > 0 {
			between.AddCert(one)
		}
		out.Certificates = append(out.Certificates, describe(one, now))
	}
	if len(s.PeerCertificates) == 0 {
		out.Problem = "the server has no certificate"
		return out, nil
	}
	_, err = s.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: in.Name, Roots: c.Roots, Intermediates: between, CurrentTime: now})
	if out.Trusted = err == nil; err != nil {
		out.Problem = err.Error()
	}
	return out, nil
}

func describe(c *x509.Certificate, now time.Time) certificate {
	names := append([]string{}, c.DNSNames...)
	for _, a := range c.IPAddresses {
		names = append(names, a.String())
	}
	sum := sha256.Sum256(c.Raw)
	return certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Names: names, NotBefore: c.NotBefore.UTC().Format(time.RFC3339),
		NotAfter: c.NotAfter.UTC().Format(time.RFC3339), DaysLeft: int(c.NotAfter.Sub(now) / (24 * time.Hour)), SHA256: hex.EncodeToString(sum[:]),
		Key: c.PublicKeyAlgorithm.String(), Signature: c.SignatureAlgorithm.String(),
	}
}
