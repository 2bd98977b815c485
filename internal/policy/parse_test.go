package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
)

func TestParse_Errors(t *testing.T) {
	t.Parallel()
	archive := archives(t, "testdata/errors.txtar")["errors"]
	if len(archive.Files) < 30 {
		t.Fatalf("only %d cases", len(archive.Files))
	}
	for _, f := range archive.Files {
		text, wants, ok := strings.Cut(string(f.Data), "==>\n")
		if !ok {
			t.Fatalf("%s has no ==>", f.Name)
		}
		p, err := policy.Parse("p", text)
		if err == nil {
			t.Errorf("%s: read as %s", f.Name, policy.Format(p.Rules...))
			continue
		}
		if !errors.Is(err, policy.ErrSyntax) {
			t.Errorf("%s: not ErrSyntax: %v", f.Name, err)
		}
		lines := strings.Split(err.Error(), "\n")
		want := strings.Split(strings.TrimSuffix(wants, "\n"), "\n")
		if len(lines) != len(want) {
			t.Errorf("%s: %d errors; want %d:\n%v", f.Name, len(lines), len(want), err)
			continue
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, `policy "p"`) || !strings.Contains(line, want[i]) {
				t.Errorf("%s: %s\nwant %s", f.Name, line, want[i])
			}
		}
	}
}

func TestParse_TextsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not UTF-8":   "path \"\xff\" {}",
		"too long":    strings.Repeat(" ", 1<<20+1),
		"deep HCL":    strings.Repeat("[", 1<<19),
		"deep blocks": "a = " + strings.Repeat("{ a = ", 1<<17),
		"deep JSON":   `{"path":` + strings.Repeat("[", 1<<19),
	} {
		if _, err := policy.Parse("p", text); !errors.Is(err, policy.ErrSyntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A text with a thousand mistakes is answered with a few.
func TestParse_FewErrors(t *testing.T) {
	t.Parallel()
	_, err := policy.Parse("p", strings.Repeat("nonsense = 1\n", 1000))
	if n := strings.Count(err.Error(), "\n") + 1; n != 10 {
		t.Errorf("%d errors", n)
	}
}

func TestParse_Keeps(t *testing.T) {
	t.Parallel()
	const text = "# why\r\npath \"/a/b\" {\r\n  comment = \"ticket 12\"\r\n}\r\npath \"c\" {}\r\n"
	p := mustParse(t, "p", text)
	if p.Text != text || p.Name != "p" {
		t.Errorf("policy %q, text %q", p.Name, p.Text)
	}
	if len(p.Rules) != 2 || p.Rules[0].Path != "a/b" || p.Rules[0].Line != 2 || p.Rules[0].Comment != "ticket 12" || p.Rules[1].Line != 5 {
		t.Errorf("rules %+v", p.Rules)
	}
	if denied := mustParse(t, "p", `path "a" { capabilities = ["read", "deny"] }`); denied.Rules[0].Capabilities.String() != "deny" {
		t.Errorf("beside deny there is more: %s", denied.Rules[0].Capabilities)
	}
	if empty := mustParse(t, "p", " \n"); len(empty.Rules) != 0 {
		t.Errorf("an empty text has rules %+v", empty.Rules)
	}
}

func TestPolicy_Templated(t *testing.T) {
	t.Parallel()
	plain := mustParse(t, "p", `path "a" { capabilities = ["read"] }`)
	none := func(string) (string, bool) { return "", false }
	if plain.Templated() || plain.Expand(none) != plain {
		t.Error("a policy without templates is templated")
	}
	p := mustParse(t, "p", policy.DefaultText)
	if !p.Templated() {
		t.Fatal("the default policy is not templated")
	}
	for _, path := range []string{"", "identity/entity/id/{{identity.entity.id}}"} {
		if caps := policy.Compile(p).Capabilities(path); caps[0] != "deny" {
			t.Errorf("not expanded, it gives %q at %q", caps, path)
		}
	}
	expanded := p.Expand(none)
	if expanded.Templated() || len(expanded.Rules) != len(p.Rules)-2 || expanded.Text != p.Text || expanded.Name != p.Name {
		t.Errorf("expanded: %d rules of %d", len(expanded.Rules), len(p.Rules))
	}
	if wrapping := mustParse(t, policy.WrappingName, policy.WrappingText); len(wrapping.Rules) != 2 {
		t.Errorf("the wrapping policy has %d rules", len(wrapping.Rules))
	}
}

// sameRules compares what two lists of rules mean, and not where they were written.
func sameRules(a, b []*policy.Rule) string {
	return cmp.Diff(a, b, cmpopts.IgnoreUnexported(policy.Rule{}), cmpopts.IgnoreFields(policy.Rule{}, "Line"))
}

func FuzzParse(f *testing.F) {
	for _, glob := range []string{"testdata/check/*.txtar", "testdata/errors.txtar", "testdata/explain/*.txtar"} {
		for _, archive := range archives(f, glob) {
			for _, file := range archive.Files {
				text, _, _ := strings.Cut(string(file.Data), "==>\n")
				f.Add(text)
			}
		}
	}
	f.Add(policy.DefaultText)
	const odd = `path "a${b}$\\${c}\n\x00\xff\u00e9\U0001f600" { comment = "${"x"}" allowed_parameters = { "${}" = [1e30, -0.5, 0x1f, 010] } }`
	mustParse(f, "odd", odd)
	f.Add(odd)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := policy.Parse("p", text)
		if err != nil {
			if !errors.Is(err, policy.ErrSyntax) {
				t.Fatalf("not ErrSyntax: %v", err)
			}
			return
		}
		printed := policy.Format(p.Rules...)
		again, err := policy.Parse("p", printed)
		if err != nil {
			t.Fatalf("%v\nprinted:\n%s", err, printed)
		}
		if diff := sameRules(p.Rules, again.Rules); diff != "" {
			t.Fatalf("printed:\n%s\n%s", printed, diff)
		}
		if once := policy.Format(again.Rules...); once != printed || again.Templated() != p.Templated() {
			t.Fatalf("printed again:\n%s\nbefore:\n%s", once, printed)
		}
		policy.Compile(p).Check(policy.Query{Capability: policy.Read, Path: "a"})
	})
}
