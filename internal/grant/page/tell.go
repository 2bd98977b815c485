package page

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// ToTerminal returns what Options.Tell can be for a server that a person has started in a terminal: the request in full, so that
// the code is typed for nothing else, and the code. w must be that terminal; a client that started the server reads its stderr.
func ToTerminal(w io.Writer, clock func() time.Time) func(context.Context, grant.Request, string) error {
	return func(_ context.Context, r grant.Request, code string) error {
		var b strings.Builder
		fmt.Fprintf(&b, "\nrequest %s was opened in a browser\n", r.ID)
		for _, l := range r.Lines(clock()) {
			fmt.Fprintf(&b, "  %-18s %s\n", l.Name, l.Text)
		}
		fmt.Fprintf(&b, "to approve it there, type the code %s %s\n", code[:len(code)/2], code[len(code)/2:])
		if _, err := io.WriteString(w, b.String()); err != nil {
			return fmt.Errorf("showing the code: %w", err)
		}
		return nil
	}
}
