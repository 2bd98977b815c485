package dotenv_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
)

func meaning(src []byte) map[string]string {
	f, _ := dotenv.Parse(src)
	all := map[string]string{}
	for _, e := range f.Effective() {
		all[e.Name] = string(e.Value.Reveal())
	}
	return all
}

// files returns the cases of testdata.
func files(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/files/*.env")
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d cases found: %v", len(paths), err)
	}
	all := map[string][]byte{}
	for _, p := range paths {
		if all[p], err = os.ReadFile(p); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// pieces are what the random files are made of: what a reader may stumble over.
var pieces = []string{"A", "B1", "export ", "export", "=", "=", " = ", ":", ": ", "'", "\"", "`", "\\", "\\'", "\\\"", "\\n", "\\r", "\n", "\n", "\n", "\r\n", "\r",
	" ", "\t", "#", " # c", "x", "value", "-", ".", "$A", "${B1}", "é", "\u00a0", "\u2028", "\ufeff", "\v", "=\n", "\n=", "zvault://p/K"}

func TestParse_MeansWhatNodeSays(t *testing.T) {
	t.Parallel()
	o := startOracle(t)
	for path, src := range files(t) {
		if got, want := meaning(src), o.ask(t, "parse", src); !maps.Equal(got, want) {
			t.Errorf("%s means %q; node says %q", path, got, want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		src := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 24).Draw(rt, "pieces"), ""))
		if got, want := meaning(src), o.ask(t, "parse", src); !maps.Equal(got, want) {
			rt.Fatalf("%q means %q; node says %q", src, got, want)
		}
	})
}

// Assignments whose quotes pair up over lines, in all ways that a pair of lines can.
func TestParse_NeighboursMeanWhatNodeSays(t *testing.T) {
	t.Parallel()
	o := startOracle(t)
	var forms []string
	for _, v := range slices.Concat(open, closing) {
		for _, quote := range []string{"'", `"`, "`", ""} {
			forms = append(forms, quote+v+quote)
		}
	}
	for _, above := range forms {
		for _, below := range forms {
			src := []byte("A=" + above + "\nB=" + below + "\nC=1\n")
			if got, want := meaning(src), o.ask(t, "parse", src); !maps.Equal(got, want) {
				t.Errorf("%q means %q; node says %q", src, got, want)
			}
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		var src []byte
		for i, form := range rapid.SliceOfN(rapid.SampledFrom(forms), 3, 8).Draw(rt, "forms") {
			src = fmt.Appendf(src, "V%d=%s\n", i, form)
		}
		if got, want := meaning(src), o.ask(t, "parse", src); !maps.Equal(got, want) {
			rt.Fatalf("%q means %q; node says %q", src, got, want)
		}
	})
}

func TestParse_KeepsEveryByte(t *testing.T) {
	t.Parallel()
	for path, src := range files(t) {
		f, _ := dotenv.Parse(src)
		if !bytes.Equal(f.Bytes(), src) {
			t.Errorf("%s does not print as it was read", path)
		}
	}
}

func TestParse_Problems(t *testing.T) {
	t.Parallel()
	src := "# fine\n\nA=1\nthis is hunter2\n=value\nB AD=2\nC='multi\nline'\n$(rm)\n"
	f, problems := dotenv.Parse([]byte(src))
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
		if strings.Contains(p.Reason, "hunter2") {
			t.Errorf("line %d: the reason quotes the line", p.Line)
		}
	}
	if want := []int{4, 5, 6, 9}; !equal(lines, want) {
		t.Errorf("problems in lines %v; want %v", lines, want)
	}
	if n := len(f.Entries()); n != 2 {
		t.Errorf("%d entries; want 2", n)
	}
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestParse_Comments(t *testing.T) {
	t.Parallel()
	src := "# about the file\n\n# the live key\n# @required @type=string @hosts=\"api.example.com b.example.com\"\nKEY=abc # rotate yearly\nNEXT=1\n"
	f, _ := dotenv.Parse([]byte(src))
	e := f.Entries()[0]
	if want := "the live key\nrotate yearly"; e.Comment != want {
		t.Errorf("comment %q; want %q", e.Comment, want)
	}
	want := []dotenv.Decorator{{Name: "required"}, {Name: "type", Value: "string"}, {Name: "hosts", Value: "api.example.com b.example.com"}}
	if len(e.Decorators) != len(want) {
		t.Fatalf("decorators %v; want %v", e.Decorators, want)
	}
	for i, d := range e.Decorators {
		if d != want[i] {
			t.Errorf("decorator %v; want %v", d, want[i])
		}
	}
	if next := f.Entries()[1]; next.Comment != "" || next.Line != 6 {
		t.Errorf("the next entry has comment %q and line %d", next.Comment, next.Line)
	}
}

func TestFile_Rewrite(t *testing.T) {
	t.Parallel()
	src := "\ufeff# head\r\nexport A = 'one' # c\r\n\r\nB: \"two\r\nlines\"\r\nC=\nD=\n\"x\"\nE=last"
	f, _ := dotenv.Parse([]byte(src))
	got := f.Rewrite(func(e dotenv.Entry) string { return "<" + e.Name + ">" }, func(b []byte) []byte { return b })
	want := "\ufeff# head\r\nexport A =<A> # c\r\n\r\nB: <B>\r\nC=<C>\nD=<D>\nE=<E>"
	if string(got) != want {
		t.Errorf("rewritten:\n%q\nwant\n%q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, src := range files(f) {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, _ := dotenv.Parse(src)
		if !bytes.Equal(file.Bytes(), src) {
			t.Fatal("the file does not print as it was read")
		}
		names := len(file.Entries())
		again, _ := dotenv.Parse(file.Rewrite(func(e dotenv.Entry) string { return "zvault://p/" + e.Name }, func(b []byte) []byte { return b }))
		if len(again.Entries()) != names {
			t.Fatalf("%d entries before and %d after rewriting", names, len(again.Entries()))
		}
	})
}
