// Package broker logs in to a database for a program that must not have the password: the program connects to a socket on this
// machine with a password that is good for nothing else and for this run only, and the broker connects to the database with the
// real one. Each protocol is a package below this one; here is what they share.
package broker

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// ErrPassword is returned for a program that does not know the password of the run: it is not the one that the broker is for.
var ErrPassword = errors.New("wrong password for the broker")

// Login is how to log in to a database.
type Login struct {
	Secret   string // the name of the secret, for the audit log
	Address  string // host:port
	User     string
	Password secret.Value
	Database string
	// TLS is how the connection is protected; nil: not at all.
	TLS *tls.Config
}

// Options say what a broker stands on.
type Options struct {
	Login Login
	// Local is the password that the program has in the place of the real one.
	Local secret.Value
	// Dial opens the connection to the database.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Authorize is asked, and the audit log written, before each login. An error refuses the program's connection; its text is
	// shown to the program.
	Authorize func(ctx context.Context) error
	// Masks hides values in what comes back; nil hides none. Lengths stay as they are.
	Masks *redact.Matcher
	// Failed is told why a connection could not be served. Optional.
	Failed func(error)
}

// LoginTime bounds how long connecting and logging in may take.
const LoginTime = 30 * time.Second

// Admits reports whether a program gave the password of the run.
func (o *Options) Admits(given []byte) bool {
	want := o.Local.Reveal()
	return len(want) > 0 && subtle.ConstantTimeCompare(given, want) == 1
}

// Handler serves one connection of the program, which it need not close.
type Handler func(ctx context.Context, program net.Conn, o *Options) error

// Serve accepts the program's connections until ctx ends, and returns when all have ended. It closes the listener.
func Serve(ctx context.Context, l net.Listener, o *Options, handle Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // which ends Accept
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return errors.Join(fmt.Errorf("accepting a connection: %w", err), l.Close())
		}
		all.Go(func() {
			end := context.AfterFunc(ctx, func() { _ = c.Close() }) // which ends its reads and writes
			defer end()
			defer func() { _ = c.Close() }()
			if err := handle(ctx, c, o); err != nil && ctx.Err() == nil && o.Failed != nil {
				o.Failed(err)
			}
		})
	}
}

// Connect asks whether the login is permitted and opens the connection to the database.
func (o *Options) Connect(ctx context.Context) (net.Conn, error) {
	if err := o.Authorize(ctx); err != nil {
		return nil, err
	}
	return o.Dial(ctx, "tcp", o.Login.Address)
}

// Relay passes bytes both ways until one side ends, then closes both. What comes from the database is masked; toward, if not
// nil, takes what the program sends and passes it on.
func Relay(program, database net.Conn, fromProgram io.Reader, masks *redact.Matcher, toward func(io.Writer, io.Reader) error) {
	var both sync.WaitGroup
	closeBoth := sync.OnceFunc(func() {
		_ = program.Close()
		_ = database.Close()
	})
	both.Go(func() {
		defer closeBoth()
		if toward == nil {
			_, _ = io.Copy(database, fromProgram) // however it ends, the other side hears of it
			return
		}
		_ = toward(database, fromProgram)
	})
	both.Go(func() {
		defer closeBoth()
		_ = copyMasked(program, database, masks)
	})
	both.Wait()
}

const (
	bufferSize = 64 << 10
	// mayShow is how many bytes of what may be the beginning of a value are passed on all the same. An answer often ends in a byte
	// or two that some encoding of a value begins with, a zero for example, and the program waits for them. If it was a value, the
	// rest of it is masked.
	mayShow = 3
)

// copyMasked copies and masks in place. What may be the beginning of a value is held back, as far as it is longer than mayShow.
func copyMasked(to io.Writer, from io.Reader, masks *redact.Matcher) error {
	if masks == nil {
		_, err := io.Copy(to, from)
		return err
	}
	mask := masks.Overwriter(nil)
	buffer := make([]byte, 0, bufferSize+masks.Longest())
	shown := 0 // bytes at the beginning of buffer that were passed on already
	for {
		n, readErr := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		done := mask.Mask(buffer, readErr != nil)
		show := done
		if len(buffer)-done <= mayShow {
			show = len(buffer)
		}
		if show > shown {
			if _, err := to.Write(buffer[shown:show]); err != nil {
				return err
			}
		}
		shown = max(shown, show) - done
		buffer = append(buffer[:0], buffer[done:]...)
		if errors.Is(readErr, io.EOF) {
			return nil
		}
		if readErr != nil {
			return readErr
		}
	}
}
