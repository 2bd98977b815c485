package mcp_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// filledHome is a vault with n secrets in development.
func filledHome(t testing.TB, n int) *home {
	t.Helper()
	h := newHome(t)
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // made to be repeated
	changes := make([]platform.Change, n)
	for i := range changes {
		v := secret.Of(fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()))
		note := "the key of service " + fmt.Sprint(i)
		changes[i] = platform.Change{Name: fmt.Sprintf("SERVICE_%d_KEY", i), Value: &v, Comment: &note, Tags: map[string]string{"team": "pay"}}
	}
	_, err := h.Platform.Apply(t.Context(), ada, platform.Env{Project: "shop", Slug: "development"}, platform.Batch{Changes: changes})
	check(t, err)
	return h
}

// wire is a client that only writes and reads lines, as fast as a program can.
type wire struct {
	in  io.Writer
	out *bufio.Reader
}

// onTheWire serves over a pair of pipes.
func onTheWire(t testing.TB, s *mcp.Server) *wire {
	t.Helper()
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- s.Run(context.WithoutCancel(t.Context()), fromClient, toClient) }()
	t.Cleanup(func() {
		check(t, toServer.Close())
		check(t, <-done)
	})
	w := &wire{toServer, bufio.NewReaderSize(fromServer, 4<<20)}
	w.ask(t, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`)
	return w
}

func (w *wire) ask(t testing.TB, line string) []byte {
	t.Helper()
	_, err := io.WriteString(w.in, line+"\n")
	check(t, err)
	answer, err := w.out.ReadSlice('\n')
	check(t, err)
	return answer
}

// BenchmarkListSecrets is a whole call, from the line that asks to the line that answers, masked by all values.
func BenchmarkListSecrets(b *testing.B) {
	for _, n := range []int{50, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := onTheWire(b, filledHome(b, n).serve(b, nil))
			b.ReportAllocs()
			for b.Loop() {
				answer := w.ask(b, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"zvault_list_secrets"}}`)
				if !bytes.Contains(answer, []byte("SERVICE_49_KEY")) || bytes.Contains(answer, []byte(`"isError":true`)) {
					b.Fatalf("%.300s", answer)
				}
			}
		})
	}
}
