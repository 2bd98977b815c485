package redisdb

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// dial opens a connection, with TLS if that is wanted.
func dial(ctx context.Context, l *login.Login, route *login.Route, e login.Encryption, meter *login.Meter) (net.Conn, error) {
	conn, err := route.Dial(ctx, "tcp", l.Address())
	if err != nil {
		return nil, err
	}
	conn = meter.Wrap(conn)
	config := l.TLS(e, nil)
	if config == nil {
		return conn, nil
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("beginning TLS: %w", err)
	}
	return secured, nil
}

// Heard is what Monitor has heard.
type Heard struct {
	Lines     []string `json:"lines" jsonschema:"commands, each with its time, database, client and arguments"`
	Truncated bool     `json:"truncated" jsonschema:"whether more commands came than there are lines"`
	Hint      string   `json:"hint,omitempty" jsonschema:"what was left out"`
}

// Monitor listens to the commands that all clients of a server run, until most lines came or the time is over.
func (s *Server) Monitor(ctx context.Context, l *login.Login, limits tool.Limits, most int, during time.Duration) (Heard, error) {
	ctx, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	route, err := l.Route(ctx)
	if err != nil {
		return Heard{}, err
	}
	encryption, err := encrypted(l, route)
	if err != nil {
		return Heard{}, err
	}
	meter := &login.Meter{}
	meter.Set(login.MaxAnswer)
	conn, err := dial(ctx, l, route, encryption, meter)
	if err != nil {
		return Heard{}, l.Failure(ctx, err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	return listen(ctx, conn, l, limits, most, during)
}

func listen(ctx context.Context, conn net.Conn, l *login.Login, limits tool.Limits, most int, during time.Duration) (Heard, error) {
	r := bufio.NewReaderSize(conn, 16<<10)
	if l.Password.Len() > 0 {
		user := l.User
		if user == "" {
			user = "default"
		}
		if err := say(ctx, conn, r, l, "AUTH", user, string(l.Password.Reveal())); err != nil {
			return Heard{}, err
		}
	}
	if err := say(ctx, conn, r, l, "MONITOR"); err != nil {
		return Heard{}, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(during)); err != nil {
		return Heard{}, l.Failure(ctx, err)
	}
	heard, size := Heard{Lines: []string{}}, 0
	for {
		text, err := line(r)
		if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
			return heard, nil
		}
		if err != nil {
			return heard, l.Failure(ctx, err)
		}
		if len(heard.Lines) >= most || size > limits.Object {
			heard.Truncated, heard.Hint = true, fmt.Sprintf("more than %d commands came", len(heard.Lines))
			return heard, nil
		}
		text = table.Cut(strings.ToValidUTF8(strings.TrimPrefix(text, "+"), "?"), limits.Body)
		size += len(text)
		heard.Lines = append(heard.Lines, text)
	}
}

// say sends a command and wants +OK. The answer of a server to AUTH is not repeated beyond its first word.
func say(ctx context.Context, conn net.Conn, r *bufio.Reader, l *login.Login, words ...string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := conn.Write([]byte(b.String())); err != nil {
		return l.Failure(ctx, err)
	}
	answer, err := line(r)
	if err != nil {
		return l.Failure(ctx, err)
	}
	if answer == "+OK" {
		return nil
	}
	word, _, _ := strings.Cut(strings.TrimPrefix(answer, "-"), " ")
	return tool.Failed("denied", "Redis does not permit %s: %s", words[0], table.Cut(strings.ToValidUTF8(word, "?"), 40))
}

// line reads a line; what does not fit into the reader is left out.
func line(r *bufio.Reader) (string, error) {
	text, err := r.ReadSlice('\n')
	out := strings.TrimRight(string(text), "\r\n")
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	return out, err
}
