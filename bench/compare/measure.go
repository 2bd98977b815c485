package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

type command struct {
	name string
	argv []string
}

// parse reads NAME=COMMAND LINE.
func parse(args []string) ([]command, error) {
	var commands []command
	for _, arg := range args {
		name, line, ok := strings.Cut(arg, "=")
		argv := strings.Fields(line)
		if !ok || name == "" || len(argv) == 0 {
			return nil, fmt.Errorf("%q is not NAME=COMMAND LINE", arg)
		}
		commands = append(commands, command{name, argv})
	}
	if len(commands) == 0 {
		return nil, fmt.Errorf("no command given")
	}
	return commands, nil
}

type result struct {
	name   string
	times  []time.Duration // sorted once measured
	maxRSS int64           // bytes; 0 where the system does not tell
}

// percentile returns the smallest time that p percent of the runs did not exceed.
func (r result) percentile(p int) time.Duration {
	return r.times[max(0, (len(r.times)*p+99)/100-1)]
}

func (r result) median() time.Duration { return r.percentile(50) }

// warmups are rounds that do not count: they fill the caches.
const warmups = 3

// measure runs the commands in turn. A command that has run for patience in all sits out the rounds that are left.
func measure(ctx context.Context, commands []command, rounds int, patience time.Duration) ([]result, error) {
	results, spent := make([]result, len(commands)), make([]time.Duration, len(commands))
	for i, c := range commands {
		results[i].name = c.name
	}
	for round := range warmups + rounds {
		for i, c := range commands {
			if spent[i] > patience && len(results[i].times) > 0 {
				continue
			}
			took, rss, err := once(ctx, c)
			if err != nil {
				return nil, err
			}
			spent[i] += took
			if round >= warmups {
				results[i].times = append(results[i].times, took)
				results[i].maxRSS = max(results[i].maxRSS, rss)
			}
		}
	}
	for i := range results {
		slices.Sort(results[i].times)
	}
	return results, nil
}

// once runs a command, with no input and its output thrown away.
func once(ctx context.Context, c command) (time.Duration, int64, error) {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if err != nil {
		return 0, 0, fmt.Errorf("running %s: %w", c.name, err)
	}
	return took, maxRSS(cmd.ProcessState), nil
}
