package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Run serves one client over a pair of streams, one message a line, until the input ends or ctx does; both are no error. Nothing
// but messages is written to out.
func (s *Server) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	go s.warm(ctx)
	err := s.sdk.Run(ctx, &sdk.IOTransport{Reader: io.NopCloser(in), Writer: unclosed{out}})
	if err == nil || ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return fmt.Errorf("serving MCP: %w", err)
}

// warm has ready what the first answer about secrets needs. What goes wrong is told when it is needed.
func (s *Server) warm(ctx context.Context) { _, _ = s.masker.masks(ctx, s.options.Env.Project) }

// unclosed is a writer that others close.
type unclosed struct{ io.Writer }

// Close does nothing.
func (unclosed) Close() error { return nil }
