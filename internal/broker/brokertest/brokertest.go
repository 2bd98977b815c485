// Package brokertest runs a broker for a test. Only tests import it.
package brokertest

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/broker"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Local is the password of the run.
const Local = "zvault-local-3f9c1e77a0"

// Broker is a broker that runs until the test ends.
type Broker struct {
	Host, Port string
	mu         sync.Mutex
	asked      int
	denied     error
	failures   []error
	another    sync.Cond // a failure came
}

// Start starts a broker on a free port of the loopback.
func Start(t testing.TB, login broker.Login, handle broker.Handler) *Broker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	masks, err := redact.New([]redact.Secret{{Name: login.Secret, Value: login.Password, Force: true}})
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{}
	b.another.L = &b.mu
	if b.Host, b.Port, err = net.SplitHostPort(l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	o := &broker.Options{
		Login: login, Local: secret.Of(Local), Dial: (&net.Dialer{}).DialContext, Authorize: b.authorize, Masks: masks, Failed: b.failed,
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- broker.Serve(ctx, l, o, handle) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return b
}

func (b *Broker) authorize(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	return b.denied
}

// ErrDenied is why Deny refuses.
var ErrDenied = errors.New("no rule permits this login")

// Deny has every login refused from now on.
func (b *Broker) Deny() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.denied = ErrDenied
}

// Asked is how many logins were asked for.
func (b *Broker) Asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

func (b *Broker) failed(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = append(b.failures, err)
	b.another.Broadcast()
}

// Failures are why connections could not be served. It waits until there are as many as the test knows of: the other end of a
// connection may see its end before the broker has reported why.
func (b *Broker) Failures(atLeast int) []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.failures) < atLeast {
		b.another.Wait()
	}
	return append([]error(nil), b.failures...)
}

// Address is the broker's host:port.
func (b *Broker) Address() string { return net.JoinHostPort(b.Host, b.Port) }
