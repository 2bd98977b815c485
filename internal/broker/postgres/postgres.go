// Package postgres brokers PostgreSQL logins: the program logs in to the broker with the password of the run, the broker to the
// server with whatever the server wants (SCRAM-SHA-256, MD5, a password), and then each hears the other. The format is that of
// "Frontend/Backend Protocol" in PostgreSQL's documentation.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/ArcadeLabsInc/zvault/internal/broker"
)

// Handle serves one connection of a program. It is a broker.Handler.
func Handle(ctx context.Context, program net.Conn, o *broker.Options) error {
	if err := program.SetDeadline(time.Now().Add(broker.LoginTime)); err != nil {
		return err
	}
	b := pgproto3.NewBackend(program, program)
	start, cancel, err := startup(program, b)
	if errors.Is(err, io.EOF) { // a client that wanted TLS and comes again without
		return nil
	}
	if err != nil {
		return fmt.Errorf("starting a session: %w", err)
	}
	if cancel != nil {
		return passCancel(ctx, cancel, o)
	}
	if err := admit(b, o); err != nil {
		return errors.Join(err, refuse(b, "28P01", "password authentication failed: this broker takes the password of the run"))
	}
	server, err := login(ctx, start, o)
	if err != nil {
		return errors.Join(err, refuseFor(b, err))
	}
	if err := welcome(b, server); err != nil {
		return errors.Join(err, server.Conn.Close())
	}
	if err := program.SetDeadline(time.Time{}); err != nil {
		return errors.Join(err, server.Conn.Close())
	}
	broker.Relay(program, server.Conn, program, o.Masks, nil)
	return nil
}

// startup reads how the program begins. It may ask for TLS or GSSAPI first, which on this machine it does without.
func startup(program net.Conn, b *pgproto3.Backend) (*pgproto3.StartupMessage, *pgproto3.CancelRequest, error) {
	for range 3 { // each may be asked for once
		m, err := b.ReceiveStartupMessage()
		if err != nil {
			return nil, nil, err
		}
		switch m := m.(type) {
		case *pgproto3.StartupMessage:
			return m, nil, nil
		case *pgproto3.CancelRequest:
			return nil, m, nil
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := program.Write([]byte("N")); err != nil {
				return nil, nil, err
			}
		default:
			return nil, nil, errors.New("an unknown first message")
		}
	}
	return nil, nil, errors.New("too many requests for encryption")
}

// admit asks for the password of the run.
func admit(b *pgproto3.Backend, o *broker.Options) error {
	b.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := b.Flush(); err != nil {
		return err
	}
	if err := b.SetAuthType(pgproto3.AuthTypeCleartextPassword); err != nil {
		return err
	}
	m, err := b.Receive()
	if err != nil {
		return fmt.Errorf("waiting for the password of the run: %w", err)
	}
	p, ok := m.(*pgproto3.PasswordMessage)
	if !ok || !o.Admits([]byte(p.Password)) {
		return broker.ErrPassword
	}
	return nil
}

// login connects to the server with the real password, as the user and to the database of the login; what else the program asked
// for is passed on.
func login(ctx context.Context, start *pgproto3.StartupMessage, o *broker.Options) (*pgconn.HijackedConn, error) {
	ctx, cancel := context.WithTimeout(ctx, broker.LoginTime)
	defer cancel()
	host, port, err := net.SplitHostPort(o.Login.Address)
	if err != nil {
		return nil, errors.New("the server's address is not host:port")
	}
	config, err := pgconn.ParseConfig("host=localhost port=" + port + " user=x password=x dbname=x sslmode=disable")
	if err != nil {
		return nil, errors.New("the server's address cannot be used")
	}
	config.Host, config.User, config.Password, config.Database = host, o.Login.User, string(o.Login.Password.Reveal()), o.Login.Database
	config.TLSConfig, config.Fallbacks = o.Login.TLS, nil
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // the dialer looks up
	config.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return o.Connect(ctx) }
	config.RuntimeParams = map[string]string{}
	for name, value := range start.Parameters {
		switch name {
		case "user":
		case "database":
			if config.Database == "" {
				config.Database = value
			}
		default:
			config.RuntimeParams[name] = value
		}
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := conn.SyncConn(ctx); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn.Hijack()
}

// welcome tells the program what the server has told the broker.
func welcome(b *pgproto3.Backend, server *pgconn.HijackedConn) error {
	b.Send(&pgproto3.AuthenticationOk{})
	for name, value := range server.ParameterStatuses {
		b.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	b.Send(&pgproto3.BackendKeyData{ProcessID: server.PID, SecretKey: server.SecretKey})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: server.TxStatus})
	return b.Flush()
}

func refuse(b *pgproto3.Backend, code, message string) error {
	b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: code, Message: message})
	return b.Flush()
}

// refuseFor tells the program why the login failed: in the server's words if it has said something. Other errors may show how
// the broker connects, which is no business of the program's.
func refuseFor(b *pgproto3.Backend, err error) error {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return refuse(b, server.Code, "zvault: the server refuses the login: "+server.Message)
	}
	return refuse(b, "08001", "zvault: the server cannot be logged in to; the shield says why")
}

// passCancel passes on that a running query shall end. It carries the key that the server gave the program.
func passCancel(ctx context.Context, m *pgproto3.CancelRequest, o *broker.Options) error {
	ctx, cancel := context.WithTimeout(ctx, broker.LoginTime)
	defer cancel()
	server, err := o.Dial(ctx, "tcp", o.Login.Address)
	if err != nil {
		return fmt.Errorf("passing on a cancellation: %w", err)
	}
	raw, err := m.Encode(nil)
	if err == nil {
		_, err = server.Write(raw)
	}
	return errors.Join(err, server.Close())
}
