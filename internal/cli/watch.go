package cli

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/runner"
)

// watchEvery is how often changes are looked for: the revisions of the environments, which cost one small query.
const watchEvery = 500 * time.Millisecond

// watch sends a new environment whenever the secrets have changed. While they cannot be resolved the program goes on with
// what it has, and the reason is said once.
func (a *app) watch(ctx context.Context, e platform.Env, f runFlags, mask *latestMask, restart chan<- []string) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	last, complained := a.stamp(ctx), ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := a.stamp(ctx)
		if now == last || now == "" {
			continue
		}
		env, err := a.fresh(ctx, e, f, mask)
		if err != nil {
			if err.Error() != complained {
				complained = err.Error()
				a.warn("the secrets have changed but cannot be used: %v", err)
			}
			continue
		}
		last, complained = now, ""
		a.say("secrets have changed, starting again")
		select {
		case restart <- env:
		case <-ctx.Done():
			return
		}
	}
}

func (a *app) fresh(ctx context.Context, e platform.Env, f runFlags, mask *latestMask) ([]string, error) {
	variables, err := a.variables(ctx, e, f)
	if err != nil {
		return nil, err
	}
	if f.redact {
		if err := mask.set(variables); err != nil {
			return nil, err
		}
	}
	return runner.Environment(os.Environ(), variables)
}

// stamp is a text that changes when anything that the program's variables come from does; empty if that cannot be told now.
func (a *app) stamp(ctx context.Context) string {
	s, err := a.open(ctx)
	if err != nil {
		return ""
	}
	stamp, err := s.Stamp(ctx, a.caller())
	if err != nil {
		return ""
	}
	if info, err := os.Stat(a.referencesFile()); err == nil {
		stamp += info.ModTime().String()
	}
	return stamp
}

// latestMask masks the values of the latest start, and those of earlier ones, which the program may still print.
type latestMask struct {
	mu  sync.Mutex
	all []runner.Variable
	new func(io.Writer) runner.Masker
}

func (m *latestMask) set(variables []runner.Variable) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, variables...)
	mask, err := masking(m.all)
	m.new = mask
	return err
}

func (m *latestMask) writer(w io.Writer) runner.Masker {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.new(w)
}
