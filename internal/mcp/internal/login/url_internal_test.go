package login

import (
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// A URL is taken apart into one host and a port, or refused in words that hold nothing of it.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"postgres://app:pa%20ss@db.internal:5432/shop?sslmode=require", "postgres://[::1]/x", "postgres://a,b/x", "redis://h", "postgres://h:99999/",
		"postgres://u:p ss@h/", "postgres:opaque", "", "postgres://h/%zz",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parse("DATABASE_URL", secret.Of(text), map[string]int{"postgres": 5432})
		if err != nil {
			for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(":/@?&= ", r) }) {
				if len(word) > 12 && strings.Contains(err.Error(), word) {
					t.Errorf("the refusal %q quotes the URL", err)
				}
			}
			return
		}
		if l.Host == "" || strings.ContainsAny(l.Host, ",/\\") || l.Port < 1 || l.Port > 65535 || l.Scheme != "postgres" {
			t.Errorf("read as %s host %q port %d", l.Scheme, l.Host, l.Port)
		}
	})
}
