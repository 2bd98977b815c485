package mcp

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/time/rate"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// conversation is what lasts longer than a call: the environment in force, and how much more may be asked.
type conversation struct {
	s       *Server
	limiter *rate.Limiter
	slots   chan struct{}

	mu     sync.Mutex
	placed bool
	at     place
	used   time.Time
	guard  *guard
}

// place is where calls act.
type place struct {
	env platform.Env
	dir string
}

const (
	// inFlight is how many calls of one conversation may run at once.
	inFlight = 8
	// keepIdle is how long a conversation without a session of the protocol is remembered.
	keepIdle = time.Hour
	// maxTalks bounds how many of those are.
	maxTalks = 256
)

// stranger is the key of a conversation over stateless HTTP: who, through what.
type stranger struct{ user, client string }

// conversation finds the conversation that a request belongs to. From revision 2026-07-28 on HTTP has no sessions; there it is
// all that one person does through one client.
func (s *Server) conversation(ss *sdk.ServerSession, extra *sdk.RequestExtra, client *sdk.Implementation) *conversation {
	var key any = ss
	stateless := extra != nil && extra.Header != nil && ss.ID() == ""
	if stateless {
		k := stranger{}
		if extra.TokenInfo != nil {
			k.user = extra.TokenInfo.UserID
		}
		if client != nil {
			k.client = client.Name
		}
		key = k
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	talk := s.conversations[key]
	if talk == nil {
		s.forget(now)
		talk = &conversation{s: s, limiter: rate.NewLimiter(s.options.Rate, s.options.Burst), slots: make(chan struct{}, inFlight)}
		s.conversations[key] = talk
		if !stateless {
			go s.untilClosed(ss)
		}
	}
	talk.used = now
	return talk
}

// untilClosed drops a conversation when its session ends.
func (s *Server) untilClosed(ss *sdk.ServerSession) {
	_ = ss.Wait() // however it ended
	s.mu.Lock()
	talk := s.conversations[ss]
	delete(s.conversations, ss)
	s.mu.Unlock()
	if talk != nil {
		talk.end()
	}
}

// forget drops conversations that nobody continues.
func (s *Server) forget(now time.Time) {
	n := 0
	for key, talk := range s.conversations {
		if _, ok := key.(stranger); !ok {
			continue
		}
		if n++; now.Sub(talk.used) > keepIdle || n > maxTalks {
			delete(s.conversations, key)
			go talk.end()
		}
	}
}

// enter admits a call, unless there are too many.
func (c *conversation) enter() (release func(), err error) {
	if !c.limiter.Allow() {
		return nil, tool.Failed("limited", "too many calls; wait a second, then go on more slowly")
	}
	select {
	case c.slots <- struct{}{}:
		return func() { <-c.slots }, nil
	default:
		return nil, tool.Failed("limited", "%d calls are running already; wait for one to end", inFlight)
	}
}

// place returns where calls act, found out at the first of them.
func (c *conversation) place(ctx context.Context, ss *sdk.ServerSession) (place, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.placed {
		return c.at, nil
	}
	o := c.s.options
	c.at = place{env: o.Env, dir: o.Dir}
	if o.Env.Project == "" {
		if dir := firstRoot(ctx, ss); dir != "" {
			c.at.dir = dir
		}
		env, err := o.Locate(c.at.dir)
		if err != nil {
			return place{}, tool.Failed("not_found", "which project? %v; ask the person to start the server with --project, or in a project's directory", err)
		}
		if o.Env.Slug != "" {
			env.Slug = o.Env.Slug
		}
		c.at.env = env
	}
	c.placed = true
	return c.at, nil
}

// project is the one to mask: the one in force, or none if that is not known.
func (c *conversation) project() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.placed {
		return c.at.env.Project
	}
	return c.s.options.Env.Project
}

func (c *conversation) move(e platform.Env) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at.env, c.placed = e, true
}

// firstRoot is the first directory that the client works in, if it tells; until revision 2026-07-28 it can be asked.
func firstRoot(ctx context.Context, ss *sdk.ServerSession) string {
	p := ss.InitializeParams()
	if p == nil || p.Capabilities == nil || p.Capabilities.RootsV2 == nil || p.ProtocolVersion >= stateless { //nolint:staticcheck // clients of older revisions have roots
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	answer, err := ss.ListRoots(ctx, nil) //nolint:staticcheck // as above
	if err != nil {
		return "" // the server's own directory does then
	}
	for _, r := range answer.Roots {
		u, err := url.Parse(r.URI)
		if err == nil && u.Scheme == "file" && (u.Host == "" || u.Host == "localhost") {
			path := filepath.FromSlash(u.Path)
			if volume := strings.TrimPrefix(path, `\`); filepath.VolumeName(volume) != "" { // file:///C:/x
				path = volume
			}
			return path
		}
	}
	return ""
}

// rootsChanged has the project found out anew, unless the person or the conversation has chosen one.
func (s *Server) rootsChanged(_ context.Context, req *sdk.RootsListChangedRequest) {
	if s.options.Env.Project != "" {
		return
	}
	s.mu.Lock()
	talk := s.conversations[req.Session]
	s.mu.Unlock()
	if talk != nil {
		talk.mu.Lock()
		talk.placed = false
		talk.mu.Unlock()
	}
}

// caller is the assistant on behalf of the person: it has the person's id, so that overrides are found, and its own kind.
func (s *Server) caller(client *sdk.Implementation) platform.Caller {
	c := platform.Caller{
		Actor:  audit.Actor{Kind: audit.Assistant, ID: s.options.Person.ID, Name: s.options.Person.Name},
		Client: audit.Client{Kind: audit.MCP, Name: "unknown"}, Owner: true,
	}
	if client != nil {
		c.Client.Name, c.Client.Version = clip(client.Name), clip(client.Version)
	}
	return c
}

// clip shortens what a client says of itself.
func clip(text string) string {
	const most = 64
	if len(text) > most {
		text = text[:most]
	}
	return strings.ToValidUTF8(text, "")
}
