package login

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync/atomic"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Encryption is what a URL says of TLS.
type Encryption int

// The kinds of encryption.
const (
	Unset   Encryption = iota // the URL says nothing
	Off                       // in the clear
	Prefer                    // TLS if the server has it
	Require                   // TLS, with whoever answers
	Verify                    // TLS with a certificate of the host
)

// Settle decides what encryption is used. On a private network it is what the URL says, or Prefer. Elsewhere Unset and
// Prefer mean Require, and Off is refused: the password, or what it can be guessed from, would be anybody's.
func (l *Login) Settle(r *Route, wanted Encryption) (Encryption, error) {
	if r.Private() {
		if wanted == Unset {
			return Prefer, nil
		}
		return wanted, nil
	}
	switch wanted {
	case Unset, Prefer:
		return Require, nil
	case Off:
		return Off, tool.Failed("denied", "the URL in %s switches TLS off, and %s is on a public network; the person can have it say "+
			"that TLS is required or, better, verified", l.Secret, l.Host)
	default:
		return wanted, nil
	}
}

// TLS is the configuration for an encryption, nil for Off. A nil pool of roots is the system's.
func (l *Login) TLS(e Encryption, roots *x509.CertPool) *tls.Config {
	if e == Off {
		return nil
	}
	return &tls.Config{
		ServerName: Host(l.Host), RootCAs: roots, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: e != Verify, // that is what Prefer and Require mean
	}
}

// Meter limits how many bytes a connection may bring until it is set again, whatever a driver is willing to take in. It is
// safe for concurrent use.
type Meter struct{ left atomic.Int64 }

// Set permits n more bytes.
func (m *Meter) Set(n int64) { m.left.Store(n) }

// Wrap measures a connection.
func (m *Meter) Wrap(c net.Conn) net.Conn { return &metered{c, m} }

// ErrTooMuch is returned by a measured connection that has brought all it may.
var ErrTooMuch = tool.Failed("failed", "the answer is larger than %d MB; ask for less", MaxAnswer>>20)

// MaxAnswer is how many bytes of a driver's protocol one call may bring in.
const MaxAnswer = 64 << 20

type metered struct {
	net.Conn
	meter *Meter
}

// Read reads as long as there is something left.
func (c *metered) Read(b []byte) (int, error) {
	if c.meter.left.Load() <= 0 {
		return 0, ErrTooMuch
	}
	n, err := c.Conn.Read(b)
	c.meter.left.Add(-int64(n))
	return n, err
}
