package placeholder_test

import (
	"regexp"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
)

func TestSample(t *testing.T) {
	t.Parallel()
	for kind, shape := range map[string]string{
		"aws": `^AKIA[A-Z2-7]{16}$`, "github": `^ghp_[0-9A-Za-z]{36}$`, "gitlab": `^glpat-[0-9A-Za-z]{20}$`, "stripe": `^sk_live_[0-9A-Za-z]{24}$`,
		"anthropic": `^sk-ant-api03-[0-9A-Za-z]{95}$`, "openai": `^sk-proj-[0-9A-Za-z]{48}$`, "google": `^AIza[0-9A-Za-z_-]{35}$`,
		"slack": `^xoxb-[0-9A-Za-z]{50}$`, "npm": `^npm_[0-9A-Za-z]{36}$`, "postgres": `^postgres://admin:zvph[0-9A-Za-z]{20}@10\.20\.0\.5:5432/production$`,
		"hex": `^[0-9a-f]{40}$`,
	} {
		one, err := placeholder.Sample(kind)
		if err != nil {
			t.Fatal(err)
		}
		other, err := placeholder.Sample(kind)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(shape).Match(one.Reveal()) {
			t.Errorf("%s: made %q", kind, one.Reveal())
		}
		if one.Equal(other) {
			t.Errorf("%s: made the same twice", kind)
		}
	}
	if n := len(placeholder.Kinds()); n != 11 {
		t.Errorf("%d kinds, of which 11 are tested", n)
	}
	if _, err := placeholder.Sample("gold"); err == nil {
		t.Error("there is a kind of gold")
	}
	for name, kind := range map[string]string{"AWS_BACKUP_KEY": "aws", "old_database_url": "postgres", "STRIPE_KEY": "stripe", "THING": "hex"} {
		if got := placeholder.KindFor(name); got != kind {
			t.Errorf("%s is of kind %s; want %s", name, got, kind)
		}
	}
}
