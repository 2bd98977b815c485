package tool

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Call is one call of a tool: who calls, about what, and the way to everything a tool may touch.
type Call struct {
	Platform *platform.Service
	Caller   platform.Caller // the assistant, on behalf of the person
	Env      platform.Env    // the environment in force; a tool's own `env` argument goes through In
	Gate     grant.Gate
	Dialer   *egress.Dialer
	Roots    *x509.CertPool // whose certificates are trusted; nil: the system's
	Limits   Limits
	Dir      string // where the server was started; commands run below it
	Session  Session
	// Listed is Platform.List of an environment as it is now, remembered as long as nothing changes. The result must not be changed.
	Listed func(ctx context.Context, e platform.Env) ([]platform.Secret, error)
	Home   Home
	Grants *grant.Store // rules about the use of secrets; nil where there are none
	// Resumed says that the call is made a second time, now with the person's answer to what Session.Enter or the Gate asked for
	// the first time. What they have entered may be in the vault already.
	Resumed bool
	// Getenv looks up the environment of the server's process, which the person has set.
	Getenv func(string) string
}

// Session is what a Call needs of the conversation that it belongs to. The server implements it.
type Session interface {
	// Reveal gives the values of secrets, recorded in the audit log under the tool's name, and has the server mask them in
	// everything the conversation sees from now on. The use must have been authorized before.
	Reveal(ctx context.Context, e platform.Env, names []string) (map[string]secret.Value, error)
	// Guard has the server mask a value that the tool made or was given, such as a new token.
	Guard(name string, v secret.Value)
	// Enter asks the person for the value of a secret, by a page that only the person sees. It returns once the value is
	// in the vault, or a *Error that tells the model what to ask the person for.
	Enter(ctx context.Context, e platform.Env, name, why string) error
	// Progress tells the client how far a long call is; total 0 means unknown.
	Progress(ctx context.Context, done, total float64, message string)
	// Switch changes the environment in force for the calls that follow.
	Switch(e platform.Env)
}

// Limits bound what one call may take and bring back. The person can change them, the model cannot.
type Limits struct {
	Time       time.Duration // of a whole call
	Rows       int           // of a query
	Body       int           // bytes of an HTTP body that the model sees
	Object     int           // bytes of a stored object or of a command's output
	Keys       int           // of a Redis scan or an object listing
	AllowWrite bool          // whether database tools may be asked to write at all
}

// DefaultLimits are the limits unless the person sets others.
func DefaultLimits() Limits {
	return Limits{Time: 30 * time.Second, Rows: 500, Body: 10_000, Object: 1 << 20, Keys: 1000, AllowWrite: true}
}

// In is the environment that an argument names: empty is the one in force, else a slug of the same project.
func (c *Call) In(env string) platform.Env {
	e := c.Env
	if env != "" {
		e.Slug = env
	}
	return e
}
