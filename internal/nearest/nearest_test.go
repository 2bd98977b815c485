package nearest_test

import (
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/nearest"
)

func TestOf(t *testing.T) {
	t.Parallel()
	known := []string{"DATABASE_URL", "STRIPE_KEY", "name", "default_env"}
	for _, c := range []struct{ word, want string }{
		{"nmae", "name"},
		{"Name", "name"},
		{"DATABSE_URL", "DATABASE_URL"},
		{"stripe_kye", "STRIPE_KEY"},
		{"defaultenv", "default_env"},
		{"completely_else", ""},
		{"", ""},
	} {
		got, ok := nearest.Of(c.word, known)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Of(%q) = %q, %v; want %q", c.word, got, ok, c.want)
		}
	}
}
