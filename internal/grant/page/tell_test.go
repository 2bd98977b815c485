package page_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/grant/page"
)

func TestToTerminal(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	var seen strings.Builder
	if err := page.ToTerminal(&seen, d.clock)(t.Context(), d.r, "12345678"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{d.r.ID, "POST https://api.example.com:443/v1/x", "type the code 1234 5678"} {
		if !strings.Contains(seen.String(), want) {
			t.Errorf("%q is missing in %q", want, seen.String())
		}
	}
	file, err := os.Create(t.TempDir() + "/closed")
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := page.ToTerminal(file, d.clock)(t.Context(), d.r, "12345678"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a terminal that is gone: %v", err)
	}
}
