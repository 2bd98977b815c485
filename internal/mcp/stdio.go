package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Run serves one client over a pair of streams, one message a line, until the input ends or ctx does; both are no error. What was
// asked before the input ended is answered first. Nothing but messages is written to out.
func (s *Server) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	go s.warm(ctx)
	err := s.sdk.Run(ctx, &draining{&sdk.IOTransport{Reader: io.NopCloser(in), Writer: unclosed{out}}, s.options.Limits.Time})
	over := ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe)
	if err != nil && !over {
		return fmt.Errorf("serving MCP: %w", err)
	}
	return nil
}

// warm has ready what the first answer about secrets needs. What goes wrong is told when it is needed.
func (s *Server) warm(ctx context.Context) { _, _ = s.masker.masks(ctx, s.options.Env.Project) }

// unclosed is a writer that others close.
type unclosed struct{ io.Writer }

// Close does nothing.
func (unclosed) Close() error { return nil }

// draining is a transport that holds the end of the input back until what was asked is answered, for as long as a call may take.
type draining struct {
	sdk.Transport
	patience time.Duration
}

// Connect implements sdk.Transport.
func (d *draining) Connect(ctx context.Context) (sdk.Connection, error) {
	c, err := d.Transport.Connect(ctx)
	return &drained{Connection: c, patience: d.patience, idle: make(chan struct{}, 1)}, err
}

type drained struct {
	sdk.Connection
	patience time.Duration
	idle     chan struct{} // has something once the last call was answered

	mu   sync.Mutex
	open int
}

// Read implements sdk.Connection.
func (c *drained) Read(ctx context.Context) (jsonrpc.Message, error) {
	m, err := c.Connection.Read(ctx)
	if r, ok := m.(*jsonrpc.Request); ok && r.IsCall() && r.Method != listen {
		c.count(1)
	}
	if errors.Is(err, io.EOF) {
		c.wait(ctx)
	}
	return m, err
}

// Write implements sdk.Connection.
func (c *drained) Write(ctx context.Context, m jsonrpc.Message) error {
	err := c.Connection.Write(ctx, m)
	if _, ok := m.(*jsonrpc.Response); ok {
		c.count(-1)
	}
	return err
}

func (c *drained) count(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open += n; c.open <= 0 {
		select {
		case c.idle <- struct{}{}:
		default:
		}
	}
}

// wait returns when no call is open.
func (c *drained) wait(ctx context.Context) {
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	for {
		c.mu.Lock()
		open := c.open
		c.mu.Unlock()
		if open <= 0 {
			return
		}
		select {
		case <-c.idle:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
