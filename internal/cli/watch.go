package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/runner"
)

// watchEvery is how often changes are looked for: the revisions of the environments, which cost one small query.
const watchEvery = 500 * time.Millisecond

// watcher looks for changes of what a program runs with. It is used by one goroutine, which has the app to itself.
type watcher struct {
	*app
	scope platform.Env
	flags runFlags
	mask  *latestMask
	// running is the environment that the program has, and seen the stamp of what it was made of.
	running []string
	seen    string
	// complained is what was last said about secrets that cannot be used.
	complained string
}

// watch sends a new environment whenever the secrets of the program have changed, until the context ends.
func (w *watcher) watch(ctx context.Context, tick <-chan time.Time, restart chan<- []string) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		env := w.look(ctx)
		if env == nil {
			continue
		}
		select {
		case restart <- env:
		case <-ctx.Done():
			return
		}
	}
}

// look returns the environment to start the program anew with; nil if it has that already. While the secrets cannot be resolved
// the program goes on with what it has, and the reason is said once.
func (w *watcher) look(ctx context.Context) []string {
	now := w.stamp(ctx, w.flags)
	if now == w.seen || now == "" {
		return nil
	}
	env, err := w.fresh(ctx)
	if err != nil {
		if err.Error() != w.complained {
			w.complained = err.Error()
			w.warn("the secrets have changed but cannot be used: %v", err)
		}
		return nil
	}
	w.seen, w.complained = now, ""
	if slices.Equal(env, w.running) { // something else has changed: another project, another environment, a comment
		return nil
	}
	w.running = env
	w.say("secrets have changed, starting again")
	return env
}

func (w *watcher) fresh(ctx context.Context) ([]string, error) {
	variables, err := w.variables(ctx, w.scope, w.flags)
	if err != nil {
		return nil, err
	}
	if w.flags.redact {
		if err := w.mask.set(variables); err != nil {
			return nil, err
		}
	}
	return runner.Environment(inherited(), variables)
}

// stamp is a text that changes when anything that the program's variables come from does; empty if that cannot be told now.
func (a *app) stamp(ctx context.Context, f runFlags) string {
	s, err := a.open(ctx)
	if err != nil {
		return ""
	}
	stamp, err := s.Stamp(ctx, a.caller())
	if err != nil {
		return ""
	}
	if info, err := os.Stat(first(f.file, a.referencesFile())); err == nil {
		stamp += fmt.Sprint(" ", info.ModTime(), info.Size())
	}
	return stamp
}

// runWatched runs the program and starts it again with the new values whenever they change.
func (a *app) runWatched(ctx context.Context, w *watcher, command *runner.Command, variables []runner.Variable) error {
	restart := make(chan []string)
	command.Restart = restart
	if w.flags.redact {
		if err := w.mask.set(variables); err != nil {
			return err
		}
		command.Mask = w.mask.writer
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var watching sync.WaitGroup
	watching.Go(func() { w.watch(ctx, tick.C, restart) })
	status, err := runner.Run(ctx, command)
	stop()
	watching.Wait() // it uses the vault
	if err != nil {
		return startFailure(err)
	}
	if err := a.close(); err != nil {
		return err
	}
	runner.Die(status)
	return nil
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
