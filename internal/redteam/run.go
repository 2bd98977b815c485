package redteam

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// Verdict is how an attack ended.
type Verdict string

// The verdicts.
const (
	Leaked        Verdict = "leaked"         // the thief has the value
	Blocked       Verdict = "blocked"        // the thief has nothing
	Alarmed       Verdict = "alarmed"        // nothing, and the audit log says that somebody tried
	NotApplicable Verdict = "not_applicable" // there is nothing to try behind this front
)

// Result is what became of an attack.
type Result struct {
	Name   string  `json:"name"`
	Threat string  `json:"threat"`
	Result Verdict `json:"result"`
	// Used says that the value went where it may go: the front does not hold by letting nothing through.
	Used bool `json:"used"`
}

// Options are what attacks are run with.
type Options struct {
	Front Front
	// Program is the path of zvault.
	Program string
	// Script is the program of Script: see docs/redteam.md.
	Script string
	// Env is added to the environment of all that is started.
	Env []string
}

// Play runs attacks, several at a time, each with a vault and a value of its own. The results are in the order of the attacks. An error
// says that an attack could not be tried.
func Play(ctx context.Context, o Options, attacks []Attack) ([]Result, error) {
	if runtime.GOOS == "windows" {
		return nil, errors.New("the attacks are scripts for a Unix shell: run them on Linux or macOS")
	}
	results, errs := make([]Result, len(attacks)), make([]error, len(attacks))
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(2, runtime.NumCPU()))
	for i, a := range attacks {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			results[i] = Result{Name: a.Name, Threat: a.Threat}
			if results[i].Result, results[i].Used, errs[i] = o.try(ctx, a); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", a.Name, errs[i])
			}
		})
	}
	wg.Wait()
	return results, errors.Join(errs...)
}

func (o Options) try(ctx context.Context, a Attack) (v Verdict, used bool, err error) {
	if o.Front == MCP && a.Threat == "T9" && len(a.Tools) == 0 {
		return NotApplicable, false, nil // an assistant without a shell is no user of this machine
	}
	s, err := newStage(ctx, o, a)
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := errors.Join(s.play(limited, a), ctx.Err()); err != nil {
		return "", false, err
	}
	used = s.used.Load()
	out, err := s.out(ctx, a)
	if err != nil || out {
		return Leaked, used, err
	}
	tried, err := s.alarmed(ctx)
	if tried {
		return Alarmed, used, err
	}
	return Blocked, used, err
}
