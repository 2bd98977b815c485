// Command compare times commands side by side: round after round, each command once a round, so that whatever else the machine does
// meets all of them. It prints a table with the median and the 90th percentile of the wall time, what the median adds to
// the first command's and its ratio to it, and the largest resident set of a run.
//
//	compare [-rounds N] [-patience D] [-max-added D] NAME=COMMAND LINE...
//
// A command line is split at spaces; there is no shell in between. A command that fails ends the run. With -max-added the
// second command is held to a budget: exit status 1 if its median adds more than that to the first.
//
// The resident set is what the system counted for the child, and what it ran. On Linux a child starts as a copy of this
// program, so that a figure below some 8 MB means "that or less".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

var errOverBudget = errors.New("over budget")

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	rounds := flags.Int("rounds", 100, "how often each command runs")
	patience := flags.Duration("patience", 30*time.Second, "a command that has run for so long in all sits out the rest")
	budget := flags.Duration("max-added", 0, "the most that the second command may add to the first (0: no limit)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	commands, err := parse(flags.Args())
	if err != nil {
		return err
	}
	if *rounds < 1 || *budget > 0 && len(commands) < 2 {
		return errors.New("needs a positive number of rounds, and two commands for a budget")
	}
	results, err := measure(ctx, commands, *rounds, *patience)
	if err != nil {
		return err
	}
	if err := write(out, results); err != nil {
		return err
	}
	return holds(results, *budget)
}

// holds reports whether the second command adds at most the budget to the first. 0 is no limit.
func holds(results []result, budget time.Duration) error {
	if budget <= 0 {
		return nil
	}
	if added := results[1].median() - results[0].median(); added > budget {
		return fmt.Errorf("%w: %s adds %s, the limit is %s", errOverBudget, results[1].name, added, budget)
	}
	return nil
}

// write prints one row a command.
func write(out io.Writer, results []result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "command\truns\tmedian ms\tp90 ms\tadded ms\tratio\tmax RSS MB"); err != nil {
		return err
	}
	first := results[0].median()
	for _, r := range results {
		_, err := fmt.Fprintf(w, "%s\t%d\t%.2f\t%.2f\t%+.2f\t%.2f\t%.1f\n", r.name, len(r.times), ms(r.median()), ms(r.percentile(90)),
			ms(r.median()-first), float64(r.median())/float64(first), float64(r.maxRSS)/1e6)
		if err != nil {
			return err
		}
	}
	return w.Flush()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
