package sandbox

import (
	"context"
	"errors"
	"io"
	"net"
)

// dialer opens one connection to where a port leads.
type dialer func(ctx context.Context) (net.Conn, error)

// relay takes connections until the listener is closed, and joins each to one that dial opens. When dial fails the
// connection is closed: the program sees what it would see if the proxy were gone.
func relay(ctx context.Context, l net.Listener, dial dialer) error {
	for {
		inside, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go join(ctx, inside, dial)
	}
}

func join(ctx context.Context, inside net.Conn, dial dialer) {
	outside, err := dial(ctx)
	if err != nil {
		_ = inside.Close() // there is nobody to tell
		return
	}
	done := make(chan struct{})
	go func() {
		pour(outside, inside)
		close(done)
	}()
	pour(inside, outside)
	<-done
	_ = errors.Join(inside.Close(), outside.Close()) // both directions have ended
}

// pour copies one direction and passes its end on. What goes wrong ends the direction and shows on both ends as such.
func pour(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		if half.CloseWrite() == nil {
			return
		}
	}
	_ = errors.Join(to.Close(), from.Close())
}
