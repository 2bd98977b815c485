package ref_test

import (
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

//go:embed testdata/references.txt
var references string

// cases returns the rows of the table, split at tabs.
func cases(t testing.TB) [][]string {
	var rows [][]string
	for line := range strings.Lines(references) {
		if line = strings.TrimRight(line, "\n"); line != "" && line[0] != '#' {
			rows = append(rows, strings.Split(line, "\t"))
		}
	}
	if len(rows) < 20 {
		t.Fatalf("only %d cases in the table", len(rows))
	}
	return rows
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, row := range cases(t) {
		got, err := ref.Parse(row[0])
		if row[1] == "!" {
			if !errors.Is(err, ref.ErrSyntax) || !strings.Contains(err.Error(), row[2]) {
				t.Errorf("Parse(%q): %v; want an error about %q", row[0], err, row[2])
			}
			continue
		}
		version, convErr := strconv.Atoi(row[4])
		if convErr != nil {
			t.Fatal(convErr)
		}
		want := ref.Ref{Project: row[1], Key: row[2], Env: row[3], Version: version, Mount: row[5], Path: row[6], Field: row[7]}
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", row[0], got, err, want)
		}
	}
}

func TestParse_ErrorsDoNotQuoteWhatFollows(t *testing.T) {
	t.Parallel()
	const hidden = "hunter2"
	for _, value := range []string{
		"zvault://app/KEY\nhunter2",
		"zvault://app:hunter2@host/x",
		"zvault://app/KEY?env=a,hunter2",
		"zvault:///kv/x#y hunter2",
		`{"a":"${zvault://db/A","password":"hunter2","b":"${x}"}`,
		"hunter2${zvault://A b}hunter2",
		"hunter2 ${zvault://A",
		"hunter2 ${zvault://A/B/C} hunter2",
		"zvault://" + strings.Repeat("a", 300) + hidden,
	} {
		_, err := ref.ParseTemplate(value)
		if !errors.Is(err, ref.ErrSyntax) {
			t.Errorf("%q: %v; want a syntax error", value, err)
		}
		if err != nil && strings.Contains(err.Error(), hidden) {
			t.Errorf("the error shows too much: %v", err)
		}
	}
}

func TestTemplate_NeverPrintsText(t *testing.T) {
	t.Parallel()
	template, err := ref.ParseTemplate("hunter2:${zvault://db/KEY}")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, arg := range []any{template, &template, []ref.Template{template}, struct{ T ref.Template }{template}} {
			out := fmt.Sprintf(verb, arg)
			if strings.Contains(out, "hunter2") || strings.Contains(out, fmt.Sprintf("%x", "hunter2")) {
				t.Errorf("%s prints the text", verb)
			}
			if !strings.Contains(out, "zvault://db/KEY") {
				t.Errorf("%s prints %q; want the reference in it", verb, out)
			}
		}
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	lookup := func(r ref.Ref) ([]byte, error) { return []byte("<" + r.String() + ">"), nil }
	for _, c := range []struct{ value, want string }{
		{"", ""},
		{"plain $HOME ${HOME} zvault:/x", "plain $HOME ${HOME} zvault:/x"},
		{"zvault://app/KEY", "<zvault://app/KEY>"},
		{"see zvault://app/KEY", "see zvault://app/KEY"},
		{"postgres://app:${zvault://db/PASSWORD}@host/app", "postgres://app:<zvault://db/PASSWORD>@host/app"},
		{"${zvault://A}${zvault://B?version=2}", "<zvault://A><zvault://B?version=2>"},
		{"$${zvault://A}", "${zvault://A}"},
		{"$$${zvault://A}", "$${zvault://A}"},
		{"${zvault:///kv/app#user}:x", "<zvault:///kv/app#user>:x"},
		{"$zvault://not a reference", "zvault://not a reference"},
		{"$$zvault://A${zvault://B}", "$zvault://A<zvault://B>"},
		{"x$zvault://A", "x$zvault://A"},
		{"\xff${zvault://A}\x00}", "\xff<zvault://A>\x00}"},
	} {
		template, err := ref.ParseTemplate(c.value)
		if err != nil {
			t.Errorf("ParseTemplate(%q): %v", c.value, err)
			continue
		}
		got, err := template.Expand(lookup)
		if err != nil || string(got) != c.want {
			t.Errorf("%q expands to %q, %v; want %q", c.value, got, err, c.want)
		}
		if template.IsLiteral() != (len(template.Refs()) == 0) {
			t.Errorf("%q: IsLiteral and Refs disagree", c.value)
		}
	}
	for _, bad := range []string{"zvault://", "${zvault://A", "${zvault://a b}", "x${zvault://}y", "zvault://A ", "zvault://A${zvault://B}", "${zvault://A\n}"} {
		if _, err := ref.ParseTemplate(bad); !errors.Is(err, ref.ErrSyntax) {
			t.Errorf("ParseTemplate(%q): %v", bad, err)
		}
	}
	stop := errors.New("stop")
	template, err := ref.ParseTemplate("${zvault://A}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := template.Expand(func(ref.Ref) ([]byte, error) { return nil, stop }); !errors.Is(err, stop) {
		t.Errorf("Expand: %v; want the error of lookup", err)
	}
}

func TestTemplate_Refs(t *testing.T) {
	t.Parallel()
	template, err := ref.ParseTemplate("${zvault://B}-${zvault://a/A?env=dev}-${zvault://B}-$${zvault://C}")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(template.Refs()), "[zvault://B zvault://a/A?env=development]"; got != want {
		t.Errorf("references %s; want %s", got, want)
	}
}

func TestTemplate_ExpandsToItsOwnBytes(t *testing.T) {
	t.Parallel()
	held := []byte("value")
	template, err := ref.ParseTemplate("zvault://A")
	if err != nil {
		t.Fatal(err)
	}
	got, err := template.Expand(func(ref.Ref) ([]byte, error) { return held, nil })
	if err != nil {
		t.Fatal(err)
	}
	clear(held)
	if string(got) != "value" {
		t.Errorf("the result shares bytes with what lookup returned: %q", got)
	}
}

func TestQuoteLiteral_LeavesOtherTextAlone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "$HOME", "${A}", "$", "$$", "see zvault://A", "zvault", "${zvault:/x}", " zvault://A"} {
		if got := ref.QuoteLiteral(s); got != s {
			t.Errorf("QuoteLiteral(%q) = %q", s, got)
		}
	}
}

func TestValid(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", ref.MaxKey)
	slug := strings.Repeat("s", ref.MaxSlug)
	for what, c := range map[string]struct {
		valid     func(string) error
		good, bad []string
	}{
		"key":         {ref.ValidKey, []string{"A", "a.b-c_D9", "9", "-", "...", long}, []string{"", ".", "..", "A B", "A=", "A/B", "é", "A\n", "A\x00", "$A", long + "k"}},
		"variable":    {ref.ValidVariable, []string{"A", "_", "a9_Z", long}, []string{"", "9A", "A-B", "A.B", "A B", "A=B", "é", long + "k"}},
		"project":     {ref.ValidProject, []string{"a", "9", "a-b", "a--b", "dev", slug}, []string{"", "-", "-a", "a-", "A", "a_b", "a.b", "a/b", "é", slug + "s"}},
		"environment": {ref.ValidEnvironment, []string{"development", "qa-2", slug}, []string{"", "dev", "stage", "prod", "Dev", "a-", slug + "s"}},
	} {
		for _, name := range c.good {
			if err := c.valid(name); err != nil {
				t.Errorf("%s %q: %v", what, name, err)
			}
		}
		for _, name := range c.bad {
			if c.valid(name) == nil {
				t.Errorf("%s %q is taken as valid", what, name)
			}
		}
	}
}

func TestCanonicalEnvironment(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"dev": "development", "stage": "staging", "prod": "production", "qa": "qa", "production": "production", "": "", "Dev": "Dev"} {
		if got := ref.CanonicalEnvironment(name); got != want {
			t.Errorf("CanonicalEnvironment(%q) = %q; want %q", name, got, want)
		}
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"my-app": "my-app", "My App": "my-app", "billing_service.v2": "billing-service-v2", "--x--": "x", "日本": "project", "": "project",
		"a - b": "a-b", "café": "caf", strings.Repeat("ab", 40): strings.Repeat("ab", 40)[:63], strings.Repeat("a", 62) + "-b": strings.Repeat("a", 62),
	} {
		if got := ref.Slug(name); got != want {
			t.Errorf("Slug(%q) = %q; want %q", name, got, want)
		}
		if err := ref.ValidProject(ref.Slug(name)); err != nil {
			t.Errorf("Slug(%q) is not valid: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, row := range cases(f) {
		f.Add(row[0])
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ref.Parse(s)
		if err != nil {
			return
		}
		again, err := ref.Parse(r.String())
		if err != nil || again != r {
			t.Fatalf("%q prints as %q, which parses to %+v, %v", s, r.String(), again, err)
		}
	})
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"a${zvault://db/PASSWORD}b", "$${zvault://x}", "$$zvault://A${zvault://B}", "zvault://A", "${zvault://A}$${zvault://B}${zvault:///m/p#f}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, err := ref.ParseTemplate(ref.QuoteLiteral(s))
		if err != nil || !quoted.IsLiteral() {
			t.Fatalf("the quoted form of %q is no literal: %v", s, err)
		}
		if got, err := quoted.Expand(nil); err != nil || string(got) != s {
			t.Fatalf("%q came back as %q, %v", s, got, err)
		}
		template, err := ref.ParseTemplate(s)
		if err != nil {
			return
		}
		if !ref.MayRefer([]byte(s)) && !template.IsLiteral() {
			t.Fatalf("%q has a reference and MayRefer says no", s)
		}
		// References that stand for themselves, around quoted text: parsing that again gives the same parts.
		show := func(r ref.Ref) ([]byte, error) { return []byte("<" + r.String() + ">"), nil }
		first, err := template.Expand(show)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range template.Refs() {
			if again, err := ref.Parse(r.String()); err != nil || again != r || !strings.Contains(string(first), r.String()) {
				t.Fatalf("%q holds %v, which does not parse to itself: %v", s, r, err)
			}
		}
	})
}
