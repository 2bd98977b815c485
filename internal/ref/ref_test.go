package ref_test

import (
	_ "embed"
	"errors"
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
	_, err := ref.ParseTemplate("zvault://app/KEY\nhunter2-hunter2")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("the error shows too much, or there is none: %v", err != nil)
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
	for _, bad := range []string{"zvault://", "${zvault://A", "${zvault://a b}", "x${zvault://}y"} {
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

func TestSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"my-app": "my-app", "My App": "my-app", "billing_service.v2": "billing-service-v2", "--x--": "x", "日本": "project", "": "project",
		strings.Repeat("ab", 40): strings.Repeat("ab", 40)[:63],
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
	f.Add("a${zvault://db/PASSWORD}b")
	f.Add("$${zvault://x}")
	f.Fuzz(func(t *testing.T, s string) {
		quoted, ok := ref.QuoteLiteral(s)
		if !ok {
			return
		}
		template, err := ref.ParseTemplate(quoted)
		if err != nil {
			t.Fatalf("the quoted form of %q does not parse: %v", s, err)
		}
		got, err := template.Expand(nil)
		if err != nil || string(got) != s {
			t.Fatalf("%q came back as %q, %v", s, got, err)
		}
	})
}
