// Package redisdb runs one command on a Redis on behalf of a tool, and listens to what others run. Start with [Server.Run].
//
// Redis has no read-only session. What the server itself says about a command (COMMAND INFO) decides instead: without Write
// it must have the flag "readonly", and none that blocks, administers or runs scripts.
package redisdb

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/idle"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Schemes are those of URLs of Redis; rediss is TLS.
func Schemes() map[string]int { return map[string]int{"redis": 6379, "rediss": 6379} }

// Server runs commands and keeps connections for the next ones. It is safe for concurrent use.
type Server struct {
	idle *idle.Pool[login.Key, *session]
}

type session struct {
	client *redis.Client
	meter  *login.Meter
	reads  map[string]string // by command: why it may not be run without Write, empty if it may
}

// New returns a Server. Close it.
func New() *Server {
	return &Server{idle.New[login.Key](func(s *session) error { return s.client.Close() })}
}

// Close closes the connections that are kept.
func (s *Server) Close() error { return s.idle.Close() }

// Reply is what a command answers.
type Reply struct {
	Value     any    `json:"value" jsonschema:"what the command answers: text, numbers, null, lists, objects; text that is no UTF-8 is hexadecimal after \\x"`
	Truncated bool   `json:"truncated" jsonschema:"whether something was left out"`
	Hint      string `json:"hint,omitempty" jsonschema:"what was left out, and how to get it"`
}

// Run runs a command, given as its words, within the limits.
func (s *Server) Run(ctx context.Context, l *login.Login, limits tool.Limits, words []string, write bool) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	x, kept := (*session)(nil), false
	if !write {
		x, kept = s.idle.Take(l.ID)
	}
	if !kept {
		var err error
		if x, err = open(ctx, l); err != nil {
			return Reply{}, failure(ctx, l, err)
		}
	}
	value, err := x.run(ctx, words, write)
	if write || err != nil && !said(err) {
		_ = x.client.Close() // its connection may be broken, and is not used again
	} else if keep := s.idle.Keep(l.ID, x); keep != nil && err == nil {
		err = keep
	}
	if errors.Is(err, redis.Nil) {
		return Reply{}, nil
	}
	if err != nil {
		return Reply{}, failure(ctx, l, err)
	}
	return cut(value, limits), nil
}

// open makes a client with one connection, which logs in at the first command.
func open(ctx context.Context, l *login.Login) (*session, error) {
	route, err := l.Route(ctx)
	if err != nil {
		return nil, err
	}
	number := 0
	if d := l.Database(); d != "" {
		if number, err = strconv.Atoi(d); err != nil || number < 0 {
			return nil, tool.Invalid("the path of the URL in %s is not the number of a database", l.Secret)
		}
	}
	encryption, err := encrypted(l, route)
	if err != nil {
		return nil, err
	}
	x := &session{meter: &login.Meter{}, reads: map[string]string{}}
	x.client = redis.NewClient(&redis.Options{
		Network: "tcp", Addr: l.Address(), Username: l.User, Password: string(l.Password.Reveal()), DB: number, Protocol: 3,
		Dialer: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dial(ctx, l, route, encryption, x.meter)
		},
		PoolSize: 1, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true, ContextTimeoutEnabled: true, ReadTimeout: -1, WriteTimeout: -1,
	})
	return x, nil
}

// encrypted is how the connection is encrypted: rediss is verified, redis is in the clear and for private networks only.
func encrypted(l *login.Login, route *login.Route) (login.Encryption, error) {
	if l.Scheme == "rediss" {
		return login.Verify, nil
	}
	return l.Settle(route, login.Off)
}

// run runs a command if it may.
func (x *session) run(ctx context.Context, words []string, write bool) (any, error) {
	x.meter.Set(login.MaxAnswer)
	if !write {
		if err := x.permit(ctx, words); err != nil {
			return nil, err
		}
	}
	command := make([]any, len(words))
	for i, w := range words {
		command[i] = w
	}
	return x.client.Do(ctx, command...).Result()
}

// said reports whether an error is the server's word on a command, or ours, after which the connection is as it was.
func said(err error) bool {
	var server redis.Error
	var refused *tool.Error
	return errors.As(err, &server) || errors.As(err, &refused) && refused != login.ErrTooMuch
}

// failure is an error without what the client's texts hold of the configuration.
func failure(ctx context.Context, l *login.Login, err error) error {
	var server redis.Error
	if !errors.As(err, &server) {
		return l.Failure(ctx, err)
	}
	text := table.Cut(server.Error(), 2000)
	switch word, _, _ := strings.Cut(text, " "); word {
	case "WRONGPASS", "NOAUTH":
		return tool.Failed("denied", "Redis: %s; the person can check user and password in the secret", text)
	case "NOPERM", "DENIED":
		return tool.Failed("denied", "Redis: %s", text)
	case "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN":
		return tool.Failed("unreachable", "Redis: %s; try again later", text)
	default:
		return tool.Failed("failed", "Redis: %s", text)
	}
}
