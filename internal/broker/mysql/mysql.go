// Package mysql brokers MySQL and MariaDB logins: the program logs in to the broker with the password of the run, the broker to
// the server with the real one, and then each hears the other. The format is that of "Client/Server Protocol" in MySQL's source
// documentation, and MariaDB's.
package mysql

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/broker"
)

// Handle serves one connection of a program. It is a broker.Handler.
func Handle(ctx context.Context, program net.Conn, o *broker.Options) error {
	dialing, cancel := context.WithTimeout(ctx, broker.LoginTime)
	defer cancel()
	if err := program.SetDeadline(time.Now().Add(broker.LoginTime)); err != nil {
		return err
	}
	toProgram := &packets{c: program}
	conn, err := o.Connect(dialing)
	if err != nil {
		return errors.Join(err, toProgram.write(failure(2003, "HY000", "zvault: the server cannot be reached; the shield says why")))
	}
	s := &session{o: o, program: toProgram, server: &packets{c: conn}}
	if err := conn.SetDeadline(time.Now().Add(broker.LoginTime)); err != nil {
		return errors.Join(err, conn.Close())
	}
	if err := s.login(dialing); err != nil {
		return errors.Join(err, s.server.c.Close())
	}
	if err := errors.Join(program.SetDeadline(time.Time{}), s.server.c.SetDeadline(time.Time{})); err != nil {
		return errors.Join(err, s.server.c.Close())
	}
	broker.Relay(program, s.server.c, program, o.Masks, nil)
	return nil
}

// session is one program's login.
type session struct {
	o               *broker.Options
	program, server *packets
}

func (s *session) login(ctx context.Context) error {
	first, err := s.server.read()
	if err != nil {
		return s.broken(fmt.Errorf("waiting for the server's greeting: %w", err))
	}
	if len(first) > 0 && first[0] == packetErr { // too many connections, host blocked
		return errors.Join(errors.New("the server refuses connections"), s.program.write(first))
	}
	greeting, err := parseGreeting(first)
	if err != nil {
		return s.broken(err)
	}
	answer, err := s.admit(greeting)
	if err != nil {
		return err
	}
	final, err := s.authenticate(ctx, greeting, answer)
	if err != nil {
		return s.broken(err)
	}
	if err := s.program.write(final); err != nil {
		return err
	}
	if final[0] == packetErr {
		return errors.New("the server refuses the login")
	}
	return nil
}

// broken tells the program that the login failed, without how.
func (s *session) broken(err error) error {
	return errors.Join(err, s.program.write(failure(2013, "HY000", "zvault: the server cannot be logged in to; the shield says why")))
}

// admit greets the program as the server did, in clear and with a challenge of its own, and checks that it knows the password of
// the run.
func (s *session) admit(server *greeting) (*response, error) {
	nonce, err := newNonce()
	if err != nil {
		return nil, err
	}
	mine := *server
	mine.capabilities &^= capSSL | capCompress | capZstd
	mine.nonce, mine.plugin = nonce, pluginNative
	if !strings.Contains(server.version, "MariaDB") {
		mine.plugin = pluginSHA2 // newer clients of MySQL know no other
	}
	if err := s.program.write(mine.encode()); err != nil {
		return nil, err
	}
	raw, err := s.program.read()
	if err != nil {
		return nil, err
	}
	r, err := parseResponse(raw)
	if err != nil {
		return nil, errors.Join(err, s.program.write(failure(1043, "08S01", "zvault: bad handshake")))
	}
	proof := r.proof
	if r.plugin != mine.plugin {
		if proof, err = s.askAgain(&mine); err != nil {
			return nil, err
		}
	}
	if !proves(mine.plugin, proof, s.o.Local.Reveal(), nonce) {
		return nil, errors.Join(broker.ErrPassword, s.program.write(failure(1045, "28000", "zvault: this broker takes the password of the run")))
	}
	if mine.plugin == pluginSHA2 {
		if err := s.program.write([]byte{packetMore, sha2FastDone}); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// askAgain has a program that answered in another way answer in ours.
func (s *session) askAgain(g *greeting) ([]byte, error) {
	ask := append([]byte{packetSwitch}, g.plugin...)
	ask = append(append(append(ask, 0), g.nonce...), 0)
	if err := s.program.write(ask); err != nil {
		return nil, err
	}
	return s.program.read()
}

// authenticate logs in to the server and returns its last word: OK or an error.
func (s *session) authenticate(ctx context.Context, g *greeting, from *response) ([]byte, error) {
	r := *from
	r.user, r.plugin = s.o.Login.User, g.plugin
	if s.o.Login.Database != "" {
		r.database = s.o.Login.Database
	}
	secured := s.o.Login.TLS != nil
	if secured {
		if g.capabilities&capSSL == 0 {
			return nil, errors.New("the server has no TLS, and the secret's URL asks for it")
		}
		r.capabilities |= capSSL
		if err := s.server.write(r.encodeSSLRequest()); err != nil {
			return nil, err
		}
		c := tls.Client(s.server.c, s.o.Login.TLS)
		if err := c.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("securing the connection: %w", err)
		}
		s.server.c = c
	}
	a := &authenticator{password: s.o.Login.Password.Reveal(), nonce: g.nonce, plugin: g.plugin, secured: secured}
	var err error
	if r.proof, err = a.first(); err != nil {
		r.plugin, r.proof = pluginNative, nil // the server then asks for what it wants
	}
	if err := s.server.write(r.encode()); err != nil {
		return nil, err
	}
	for range 8 { // rounds; no method needs more
		p, err := s.server.read()
		if err != nil {
			return nil, err
		}
		if len(p) == 0 {
			return nil, errMalformed
		}
		if p[0] == packetOK || p[0] == packetErr {
			return p, nil
		}
		answer, err := a.next(p)
		if err != nil {
			return nil, err
		}
		if answer == nil {
			continue
		}
		if err := s.server.write(answer); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the server does not come to an end with the login")
}

// newNonce is 20 bytes without NUL, as some clients read them as text.
func newNonce() ([]byte, error) {
	b := make([]byte, nonceSize)
	if _, err := rand.Read(b); err != nil {
		return nil, err
	}
	for i := range b {
		b[i] = b[i]%127 + 1
	}
	return b, nil
}
