package shellread_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/shellread"
)

// print shows commands as "words < file", one a line; ? is what is unknown.
func print(all []shellread.Command) string {
	var lines []string
	for _, c := range all {
		var words []string
		for _, w := range append(c.Assigned, c.Words...) {
			words = append(words, strings.ReplaceAll(w.Text, "\x00", "?"))
		}
		for _, r := range c.Redirects {
			words = append(words, r.Op+r.Target.Text)
		}
		if c.Stdin != "" {
			words = append(words, "<<"+strings.ReplaceAll(strings.TrimSuffix(c.Stdin, "\n"), "\x00", "?"))
		}
		if c.Piped {
			words = append(words, "|")
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return strings.Join(lines, " / ")
}

func TestRead(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                              "",
		"env":                           "env",
		"x; env":                        "x / env",
		"x&&env||y&z":                   "x / env / y / z",
		"a | b |& c":                    "a | / b | / c",
		"echo $(env)":                   "env / echo ?",
		"echo \"a $(env) b\"":           "env / echo a ? b",
		"echo `env`":                    "env / echo ?",
		"echo `echo \\`env\\``":         "env / echo ? / echo ?",
		"(cd x; env)":                   "cd x / env",
		"diff <(env) <(set)":            "env / set / diff ? ?",
		"if true; then env; fi":         "true / env",
		"f() { env; }; f":               "f / env / f",
		"for f in a b; do cat $f; done": "for f in a b / cat ?",
		"A=.env; cat $A":                "A=.env / cat .env",
		"A=.e; A+=nv; cat ${A}":         "A=.e / A+=nv / cat .env",
		"export A=x; cat $A$B":          "export A=x / cat x?",
		"cat ${A:-.env}":                "cat .env",
		"cat ${A#x} ${!A}":              "cat ? ?",
		`cat .e"n"'v' \.env $'\x2eenv'`: "cat .env .env .env",
		`cat $'\056\u0065\n\t'`:         "cat .e\n\t",
		"echo 'a;b|c' \"d;e\"":          "echo a;b|c d;e",
		"cat <.env >out 2>&1 2>>log":    "cat <.env >out >&1 >>log",
		"cat <<< \"$A\"":                "cat <<?",
		"bash <<EOF\nenv\nEOF\nls":      "bash <<env / ls",
		"cat <<'EOF' | sh\n$(x)\nEOF":   "cat <<$(x) | / sh",
		"cat <<-E\n\t$(x)\n\tE":         "cat <<$(x) / x",
		"echo $((1<<2)) $(( $(env) ))":  "env / ? / echo ? ?",
		"# env\nls # env":               "ls",
		"a\\\nb c":                      "ab c",
		"A=1 B=$(env) cmd x":            "env / A=1 B=? cmd x",
		"[[ -f .env ]] && { env; }":     "[[ -f .env ]] / env",
		"echo a#b $ $? \"$@\" ${#x}":    "echo a#b $ ? ? ?",
		"case $x in a) env;; esac":      "case ? in a / env",
		"cat <<E $(a)\nb\nE":            "a / cat ? <<b",
		"cmd &>out &":                   "cmd &>out",
	} {
		got, err := shellread.Read(line, nil)
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if text := print(got); text != want {
			t.Errorf("%q:\n got %s\nwant %s", line, text, want)
		}
	}
}

func TestRead_Unreadable(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"echo 'a", `echo "a`, "echo $(a", "echo `a", "cat <<EOF\nx", "echo ${a", "cat <", "(a", "$'a", strings.Repeat("$(", 100), strings.Repeat("(", 1000),
		strings.Repeat("x", 2<<20),
	} {
		if got, err := shellread.Read(line, nil); !errors.Is(err, shellread.ErrUnreadable) {
			t.Errorf("%.30q: %v, %v", line, print(got), err)
		}
	}
}

func TestRead_Variables(t *testing.T) {
	t.Parallel()
	got, err := shellread.Read("cat $HOME/x \"$SECRET\"", map[string]string{"HOME": "/h"})
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	w := got[0].Words
	if w[1].Text != "/h/x" || w[2].Vars[0] != "SECRET" {
		t.Errorf("%+v", w)
	}
}

// Whatever the text is, it is read to its end or refused; and a command before it is always found.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"a | b", "echo \"$(x `y`)\" 'q' $'\\x41'", "cat <<E\nx\nE", "${a:-$(b)}", "$((1+2))", "a <(b) >&2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if _, err := shellread.Read(line, nil); err != nil {
			if !errors.Is(err, shellread.ErrUnreadable) {
				t.Fatal(err)
			}
			return
		}
		got, err := shellread.Read("printenv; "+line, nil)
		if err != nil {
			t.Fatalf("%q is read alone and not behind a command", line)
		}
		for _, c := range got {
			if len(c.Words) > 0 && c.Words[0].Text == "printenv" {
				return
			}
		}
		t.Fatalf("the command before %q is lost", line)
	})
}
