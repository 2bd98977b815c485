package mcp

import (
	"context"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// watch tells subscribers what has changed. It looks at the vault from the first subscription on: for others, the terminal say,
// change it too.
type watch struct {
	s    *Server
	once sync.Once
	look chan struct{}
	end  context.CancelFunc
	ctx  context.Context //nolint:containedctx // ends with the server

	stamp     string
	revisions map[address]int64
}

func newWatch(s *Server) *watch {
	w := &watch{s: s, look: make(chan struct{}, 1)}
	w.ctx, w.end = context.WithCancel(context.Background())
	return w
}

func (w *watch) subscribe(_ context.Context, req *sdk.SubscribeRequest) error {
	if _, err := parseAddress(req.Params.URI); err != nil && !w.s.others[req.Params.URI] {
		return sdk.ResourceNotFoundError(req.Params.URI)
	}
	w.start()
	return nil
}

func (w *watch) unsubscribe(context.Context, *sdk.UnsubscribeRequest) error { return nil }

// start begins to look, once. What is so then counts as known.
func (w *watch) start() {
	w.once.Do(func() {
		w.changed()
		go w.run()
	})
}

func (w *watch) stop() { w.end() }

// nudge has it look soon, after a call that may have changed something.
func (w *watch) nudge() {
	select {
	case w.look <- struct{}{}:
	default:
	}
}

func (w *watch) run() {
	ticker := time.NewTicker(w.s.options.Look)
	defer ticker.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-ticker.C:
		case <-w.look:
		}
		for _, a := range w.changed() {
			// A subscriber that is gone has no use for it.
			_ = w.s.sdk.ResourceUpdated(w.ctx, &sdk.ResourceUpdatedNotificationParams{URI: a.uri()})
		}
	}
}

// changed lists what has changed since it was last asked. Of a vault that cannot be read nothing has.
func (w *watch) changed() []address {
	opened, err := w.s.options.Vault.Open(w.ctx)
	if err != nil {
		return nil
	}
	p, c := opened.Platform, w.s.caller(nil)
	stamp, err := p.Stamp(w.ctx, c)
	if err != nil || stamp == w.stamp {
		return nil
	}
	now, err := revisions(w.ctx, p, c)
	if err != nil {
		return nil
	}
	var out []address
	for a, revision := range now {
		before, known := w.revisions[a]
		if w.revisions == nil || (known && before == revision) {
			continue
		}
		out = append(out, a, address{project: a.project})
		out = append(out, w.names(p, c, a, int(revision-before))...)
	}
	w.stamp, w.revisions = stamp, now
	return out
}

// names lists the secrets that the newest commits of an environment have touched, with env and, for the one in force, without.
func (w *watch) names(p *platform.Service, c platform.Caller, a address, commits int) []address {
	if commits <= 0 {
		return nil
	}
	log, err := p.Log(w.ctx, c, platform.Env{Project: a.project, Slug: a.env}, 0, commits)
	if err != nil {
		return nil
	}
	var out []address
	for _, commit := range log {
		for _, name := range commit.Changed {
			out = append(out, address{a.project, name, a.env}, address{a.project, name, ""})
		}
	}
	return out
}

// revisions reads the revision of every environment.
func revisions(ctx context.Context, p *platform.Service, c platform.Caller) (map[address]int64, error) {
	projects, err := p.Projects(ctx, c)
	if err != nil {
		return nil, err
	}
	out := map[address]int64{}
	for _, project := range projects {
		envs, err := p.Environments(ctx, c, project.Slug)
		if err != nil {
			return nil, err
		}
		for _, e := range envs {
			if !e.Personal {
				out[address{project: project.Slug, env: e.Slug}] = e.Revision
			}
		}
	}
	return out, nil
}
