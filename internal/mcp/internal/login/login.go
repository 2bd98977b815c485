// Package login gets a tool from the name of a secret to a place that it may connect to. The secret holds a URL with the
// host, the user and the password; [Open] reveals it within the process, asks the gate for exactly this use of it, and
// hands out a [Login], which keeps the password out of everything that is printed. Nothing is connected to before the gate
// has answered, and then only through the call's dialer.
package login

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Key tells logins apart: what is kept open under one key was opened with the same URL from the same secret. It is made
// with a key of this process, so that it says nothing about the URL.
type Key [sha256.Size]byte

// Request says which login a tool wants, and what for.
type Request struct {
	Tool string
	// Connection is what the model named: a secret or its zvault:// address. Empty means Default.
	Connection, Env, Default string
	// Schemes are those that the URL may have, each with the port that it means.
	Schemes map[string]int
	// Ports replace the port of URLs of these schemes, where the tool talks to another one.
	Ports map[string]int
	// Write says that the tool may change things there; the Use has the method WRITE instead of READ.
	Write bool
	// Statement is what will be run. Its hash is part of the Use, so that an approval holds for this one alone.
	Statement string
	// Parameters go with the statement. A text that is a zvault:// address stands for that secret's value.
	Parameters []any
	// Key, if not empty, names a second secret: the key of an API whose URL holds none.
	Key string
	// Method and Path, if not empty, replace READ or WRITE and the name of the database in the Use.
	Method, Path string
}

// Login is a place to connect to and the credential for it. It prints as "[redacted]" but for its exported fields.
type Login struct {
	Secret       string // the name of the secret
	Scheme, Host string
	Port         int
	User         string
	Path         string // of the URL, with the slash
	Query        url.Values
	Password     secret.Value
	APIKey       secret.Value // of Request.Key
	// Parameters are those of the request with addresses replaced by values.
	Parameters []any
	ID         Key

	call *tool.Call
}

// Address is the host and port.
func (l *Login) Address() string { return net.JoinHostPort(l.Host, strconv.Itoa(l.Port)) }

// Database is the path of the URL without its slash.
func (l *Login) Database() string {
	if l.Path == "" {
		return ""
	}
	return l.Path[1:]
}

// Open finds the secret, asks the gate, and returns the login. Errors are those of the gate, or a *tool.Error.
func Open(ctx context.Context, c *tool.Call, r Request) (*Login, error) {
	e, name, err := target(c, r.Connection, r.Env, r.Default)
	if err != nil {
		return nil, err
	}
	names, err := parameterNames(e, r.Parameters)
	if err != nil {
		return nil, err
	}
	value, err := reveal(ctx, c, e, name, r)
	if err != nil {
		return nil, err
	}
	l, err := parse(name, value, r.Schemes)
	if err != nil {
		return nil, err
	}
	if port, ok := r.Ports[l.Scheme]; ok {
		l.Port = port
	}
	if l.Password.Len() > 0 { // the server masks the URL as a whole, and the database may say the password alone
		c.Session.Guard(name+":password", l.Password)
	}
	if err := c.Gate.Authorize(ctx, use(e, l, r, names)); err != nil {
		return nil, err
	}
	l.call = c
	if err := l.fill(ctx, c, e, r, names); err != nil {
		return nil, err
	}
	l.ID = id(e, name, value, l.APIKey)
	return l, nil
}

// fill reveals what else the request names, after the gate has let it pass.
func (l *Login) fill(ctx context.Context, c *tool.Call, e platform.Env, r Request, names []string) error {
	l.Parameters = r.Parameters
	if r.Key != "" {
		names = append(names, r.Key)
	}
	if len(names) == 0 {
		return nil
	}
	values, err := c.Session.Reveal(ctx, e, names)
	if err != nil {
		return vaultError(ctx, c, e, err, names...)
	}
	l.APIKey = values[r.Key]
	l.Parameters = replace(r.Parameters, values)
	return nil
}

// use is what the gate is asked.
func use(e platform.Env, l *Login, r Request, parameters []string) grant.Use {
	u := grant.Use{
		Project: e.Project, Env: e.Slug, Tool: r.Tool, Scheme: l.Scheme, Host: l.Host, Port: l.Port,
		Method: "READ", Path: l.Path, In: map[string]string{}, Body: bodyHash(r),
	}
	if r.Write {
		u.Method = "WRITE"
	}
	if r.Method != "" {
		u.Method = r.Method
	}
	if r.Path != "" {
		u.Path = r.Path
	}
	u.In[l.Secret] = "login"
	if r.Key != "" {
		u.In[r.Key] = "header:authorization"
	}
	for _, name := range parameters {
		u.In[name] = "body" // of a secret that is both, this says more
	}
	for name := range u.In {
		u.Secrets = append(u.Secrets, name)
	}
	slices.Sort(u.Secrets)
	return u
}

// bodyHash is that of the statement; where there are parameters, of a JSON list of the statement and them.
func bodyHash(r Request) string {
	if len(r.Parameters) == 0 {
		return grant.BodyHash([]byte(r.Statement))
	}
	text, err := json.Marshal([]any{r.Statement, r.Parameters})
	if err != nil {
		panic("encoding what was decoded from JSON: " + err.Error())
	}
	return grant.BodyHash(text)
}

// processKey is random and stays within the process.
var processKey = sync.OnceValue(func() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return key
})

func id(e platform.Env, name string, url, key secret.Value) Key {
	mac := hmac.New(sha256.New, processKey())
	for _, part := range [][]byte{[]byte(e.Project), []byte(e.Slug), []byte(name), url.Reveal(), key.Reveal()} {
		mac.Write(strconv.AppendInt(nil, int64(len(part)), 10))
		mac.Write([]byte{':'})
		mac.Write(part)
	}
	return Key(mac.Sum(nil))
}

// WithoutPath is the login with an empty path, for servers where the path of the URL is the name of a database.
func (l *Login) WithoutPath() *Login {
	c := *l
	c.Path = ""
	return &c
}
