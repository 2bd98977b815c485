package login

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Failure says why a host could not be talked to. Of err it repeats only what is known to hold no URL: errors of the network,
// of TLS and of the dialer. An error of a tool stays what it is.
func (l *Login) Failure(ctx context.Context, err error) error {
	var made *tool.Error
	if errors.As(err, &made) {
		return made
	}
	at := l.Address()
	if errors.Is(err, egress.ErrRefused) {
		return tool.Failed("denied", "%s must not be connected to: it is, or leads to, an address of a metadata service, of a "+
			"link, or of a group of hosts", at)
	}
	if slow(ctx, err) {
		return tool.Failed("timeout", "%s did not answer in time (%s); ask for less, or have the person raise the limit", at, l.call.Limits.Time)
	}
	return tool.Failed("unreachable", "%s cannot be reached: %s", at, reason(err))
}

func slow(ctx context.Context, err error) bool {
	var network net.Error
	return ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &network) && network.Timeout()
}

// reason is what is wrong in words that hold nothing of a credential.
func reason(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &dns):
		return "the name has no address (" + dns.Err + ")"
	case errors.As(err, &certificate):
		return "its certificate is not one to trust (" + certificate.Err.Error() + ")"
	case errors.As(err, &authority):
		return "its certificate is not one to trust (" + authority.Error() + ")"
	case errors.As(err, &alert):
		return "TLS: " + alert.Error()
	case errors.As(err, &record):
		return "it does not speak TLS"
	case errors.As(err, &op) && op.Err != nil:
		return op.Err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it closed the connection"
	default:
		return "it does not answer as this kind of server does"
	}
}
