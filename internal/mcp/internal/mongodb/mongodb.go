// Package mongodb runs one command on a MongoDB on behalf of a tool. Start with [Server.Run].
//
// MongoDB has no read-only session. Without Write only commands that read are sent, and an aggregation with a stage that
// writes ($out, $merge), wherever it stands, is not; the server refuses writes of a login that may only read, which is the
// better protection. The driver talks to the one host of the URL, and to no other that a server may name.
package mongodb

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/idle"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Schemes are those of URLs of MongoDB that name a host. Those of mongodb+srv name several.
func Schemes() map[string]int { return map[string]int{"mongodb": 27017} }

// Server runs commands and keeps connections for the next ones. It is safe for concurrent use.
type Server struct {
	idle *idle.Pool[login.Key, *session]
}

type session struct {
	client *mongo.Client
	meter  *login.Meter
}

// closing is how long the end of a client may take.
const closing = 2 * time.Second

func (x *session) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	return x.client.Disconnect(ctx)
}

// New returns a Server. Close it.
func New() *Server {
	return &Server{idle.New[login.Key](func(x *session) error { return x.close() })}
}

// Close closes the connections that are kept.
func (s *Server) Close() error { return s.idle.Close() }

// Documents is what a command brings.
type Documents struct {
	Documents []any  `json:"documents" jsonschema:"documents in MongoDB's extended JSON, relaxed; of a command that has no cursor, its one answer"`
	Count     int    `json:"count" jsonschema:"how many documents are here"`
	Truncated bool   `json:"truncated" jsonschema:"whether something was left out"`
	Hint      string `json:"hint,omitempty" jsonschema:"what was left out, and how to get it"`
}

// Run runs a command in a database, within the limits.
func (s *Server) Run(ctx context.Context, l *login.Login, limits tool.Limits, database string, c Command) (Documents, error) {
	ctx, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	x, kept := s.idle.Take(l.ID)
	if !kept {
		var err error
		if x, err = open(ctx, l, limits); err != nil {
			return Documents{}, failure(ctx, l, err)
		}
	}
	x.meter.Set(login.MaxAnswer)
	out, err := x.run(ctx, limits, database, c)
	if err != nil && !said(err) {
		_ = x.close() // it may be broken, and is not used again
	} else if keep := s.idle.Keep(l.ID, x); keep != nil && err == nil {
		err = keep
	}
	if err != nil {
		return Documents{}, failure(ctx, l, err)
	}
	return out, nil
}

// open makes a client, which connects at the first command.
func open(ctx context.Context, l *login.Login, limits tool.Limits) (*session, error) {
	route, err := l.Route(ctx)
	if err != nil {
		return nil, err
	}
	x := &session{meter: &login.Meter{}}
	o := options.Client().SetHosts([]string{l.Address()}).SetDirect(true).SetAppName("zvault").SetMaxPoolSize(1).
		SetRetryReads(false).SetRetryWrites(false).SetServerSelectionTimeout(limits.Time).SetServerMonitoringMode("poll").
		SetDialer(dialer{route, x.meter})
	encryption, err := encrypted(l, route)
	if err != nil {
		return nil, err
	}
	if config := l.TLS(encryption, nil); config != nil {
		o.SetTLSConfig(config)
	}
	if l.User != "" {
		credential, err := credential(l)
		if err != nil {
			return nil, err
		}
		o.SetAuth(credential)
	}
	if x.client, err = mongo.Connect(o); err != nil { // its text may hold what is in the options
		return nil, tool.Invalid("the URL in %s cannot be used", l.Secret)
	}
	return x, nil
}

type dialer struct {
	route *login.Route
	meter *login.Meter
}

// DialContext connects to the host of the login, whatever address the driver wants.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.route.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return d.meter.Wrap(conn), nil
}

// encrypted is how the connection is encrypted. MongoDB has no TLS that both sides only prefer.
func encrypted(l *login.Login, route *login.Route) (login.Encryption, error) {
	wanted := login.Unset
	switch {
	case l.Query.Get("tlsInsecure") == "true", l.Query.Get("tlsAllowInvalidCertificates") == "true":
		wanted = login.Require
	case l.Query.Get("tls") == "true", l.Query.Get("ssl") == "true":
		wanted = login.Verify
	case l.Query.Get("tls") == "false", l.Query.Get("ssl") == "false":
		wanted = login.Off
	}
	e, err := l.Settle(route, wanted)
	if e == login.Prefer {
		e = login.Off
	}
	return e, err
}

// credential is the user and the password. Only mechanisms that do not send the password are used.
func credential(l *login.Login) (options.Credential, error) {
	c := options.Credential{
		Username: l.User, Password: string(l.Password.Reveal()), PasswordSet: true, AuthSource: l.Query.Get("authSource"),
		AuthMechanism: l.Query.Get("authMechanism"),
	}
	if c.AuthSource == "" {
		c.AuthSource = l.Database()
	}
	if c.AuthSource == "" {
		c.AuthSource = "admin"
	}
	switch c.AuthMechanism {
	case "", "SCRAM-SHA-1", "SCRAM-SHA-256":
		return c, nil
	}
	return c, tool.Invalid("the authMechanism of the URL in %s is neither SCRAM-SHA-256 nor SCRAM-SHA-1", l.Secret)
}

// run sends a command and takes documents until the table is full.
func (x *session) run(ctx context.Context, limits tool.Limits, database string, c Command) (Documents, error) {
	db := x.client.Database(database)
	b := table.New(limits)
	b.Columns = []table.Column{{Name: "the document"}}
	if !c.cursor() {
		raw, err := db.RunCommand(ctx, c.document(limits)).Raw()
		if err != nil {
			return Documents{}, err
		}
		err = add(b, raw)
		return documents(b), err
	}
	cursor, err := db.RunCommandCursor(ctx, c.document(limits))
	if err != nil {
		return Documents{}, err
	}
	for cursor.Next(ctx) {
		if err := add(b, cursor.Current); err != nil {
			return Documents{}, errors.Join(err, cursor.Close(ctx))
		}
		if b.Full() {
			break
		}
	}
	if err := errors.Join(cursor.Err(), cursor.Close(ctx)); err != nil {
		return Documents{}, err
	}
	return documents(b), nil
}

func add(b *table.Builder, raw bson.Raw) error {
	text, err := bson.MarshalExtJSON(raw, false, false)
	if err != nil {
		return tool.Failed("failed", "the server sends a document that cannot be read")
	}
	b.Add([]any{table.JSON(text)})
	return nil
}

func documents(b *table.Builder) Documents {
	r := b.Done()
	out := Documents{Documents: []any{}, Count: r.RowCount, Truncated: r.Truncated}
	for _, row := range r.Rows {
		out.Documents = append(out.Documents, row[0])
	}
	if r.Truncated {
		out.Hint = strings.NewReplacer("rows", "documents", "with substr or the like", "with a projection").Replace(r.Hint) +
			" (skip and limit, a projection, or a condition on the last _id give the rest)"
	}
	return out
}

// said reports whether an error is the server's word on a command, or ours, after which the connection is as it was.
func said(err error) bool {
	var command mongo.CommandError
	return errors.As(err, &command) && !mongo.IsNetworkError(err) && !mongo.IsTimeout(err)
}

// failure is an error without what the driver's texts hold of the configuration.
func failure(ctx context.Context, l *login.Login, err error) error {
	var command mongo.CommandError
	if errors.As(err, &command) && command.Code != 0 {
		return refusal(command)
	}
	if text := err.Error(); strings.Contains(text, "auth error") || strings.Contains(text, "unable to authenticate") {
		return tool.Failed("denied", "MongoDB does not take the user and the password; the person can check the secret, and its authSource")
	}
	return l.Failure(ctx, err)
}

// refusal is what the server says; the numbers are those of MongoDB's "Error Codes".
func refusal(e mongo.CommandError) *tool.Error {
	message := table.Cut(strings.ToValidUTF8(e.Message, "?"), 2000)
	switch e.Code {
	case 18: // AuthenticationFailed
		return tool.Failed("denied", "MongoDB: %s (%d); the person can check user, password and authSource in the secret", message, e.Code)
	case 13, 8000: // Unauthorized, and a hosted one's word for it
		return tool.Failed("denied", "MongoDB: %s (%d)", message, e.Code)
	case 50, 262: // MaxTimeMSExpired, ExceededTimeLimit
		return tool.Failed("timeout", "MongoDB: %s (%d); ask for less, or have the person raise the time limit", message, e.Code)
	default:
		return tool.Failed("failed", "MongoDB: %s (%s, %d)", message, table.Cut(strings.ToValidUTF8(e.Name, "?"), 100), e.Code)
	}
}
