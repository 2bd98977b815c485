package dotenv_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/testinstall"
)

// nasty values are what quoting goes wrong with.
var nasty = []string{"", "plain", "two words", " leading", "trailing ", "a'b", `a"b`, "a`b", `a\b`, `a\nb`, "a\nb", "a\r\nb", "a\rb", "$HOME", "${HOME}", "$(id)", "`id`", "#x", "a #b", "a=b",
	"=", "'", `"`, "`", `\`, "''", `""`, "日本語 ñ", "\t", "\t x", "a;b|c&d", "!x", "*", "~", "{a,b}", "%PATH%", "'a'", `"a"`, "a\n", "\n", "$", "$$", `\$`, `\'`, `'"`, "'\"`", "-----BEGIN-----\nx\n", "\u2028", "’",
	"export", "a: b", "- a", "null", "true", "007", "zvault://p/K"}

// open are values whose closing quote a reader may take for part of the value, if a value in closing stands below.
var (
	open    = []string{`\`, `a\`, ` \`, `#\`, ` #\`, `a #\`, `\\`, `'\`, `"\`, "`\\", `a'\`, `a"\`, "a\nb\\", "\r\\", `C:\x\`, `\'`, `\"`, "\\`", `"'\`, "'`\\", "'", `"`, "`", "'\n", "a\\\n", "a\x1c#\\", "\x1fa\\"}
	closing = []string{" #", "' #", `" #`, "` #", "a'b", `a"b`, "a`b", "'", `"`, "`", "\n'", "\n\"", "#'", "x"}
)

// drawn is any text without a NUL, made of what is nasty and of ordinary letters.
var drawn = rapid.OneOf(rapid.SampledFrom(nasty), rapid.SampledFrom(open), rapid.SampledFrom(closing), rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "B", " ", "'", `"`, "`", `\`, "$", "#", "\n", "\r", "\t", "=", "é", "{", "}", "n", ";"}), 0, 8),
	func(parts []string) string { return strings.Join(parts, "") }))

// reader is the program that reads a dialect: it gives all variables, nil if it refuses the file.
type reader func(t *testing.T, file []byte) map[string]string

// TestWrite_RealReaders: what is written is read as it was, all of it and nothing else, or was refused; and not everything is
// refused.
func TestWrite_RealReaders(t *testing.T) {
	t.Parallel()
	for d, start := range map[dotenv.Dialect]func(*testing.T) reader{
		dotenv.Node: startNode, dotenv.Python: startPython, dotenv.JSON: jsonReader, dotenv.YAML: yamlReader, dotenv.GitHub: githubReader,
		dotenv.Kubernetes: realReader("k8s"), dotenv.Docker: realReader("docker"), dotenv.Compose: realReader("compose"),
	} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			r := roundTrip{t: t, d: d, read: start(t)}
			written := 0
			for _, v := range nasty {
				if r.try(t, "1", v, "2") {
					written++
				}
			}
			if written < len(nasty)/2 {
				t.Errorf("%d of %d values were refused", len(nasty)-written, len(nasty))
			}
			for _, v := range open {
				for _, next := range closing {
					r.try(t, v, next)
				}
			}
			rapid.Check(t, func(rt *rapid.T) { r.try(rt, rapid.SliceOfN(drawn, 1, 6).Draw(rt, "values")...) })
		})
	}
}

// The shells read a whole file of values at once: a process for each would take long.
func TestWrite_Shells(t *testing.T) {
	t.Parallel()
	var variables []dotenv.Variable
	for i, v := range slices.Concat(nasty, open, closing) {
		variables = append(variables, dotenv.Variable{Name: "V" + strings.Repeat("x", i), Value: secret.Of(v)})
	}
	file, err := dotenv.Write(dotenv.Shell, "", variables)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "values")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, shell := range []string{"bash", "dash"} {
		cmd := exec.Command(shell, "-c", `. "$1"; exec env -0`, shell, path)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s is needed for this test: %v", shell, err)
		}
		got := map[string]string{}
		for entry := range strings.SplitSeq(string(out), "\x00") {
			name, value, _ := strings.Cut(entry, "=")
			got[name] = value
		}
		for _, v := range variables {
			if got[v.Name] != string(v.Value.Reveal()) {
				t.Errorf("%s reads %q as %q", shell, v.Value.Reveal(), got[v.Name])
			}
		}
	}
}

// A name is never taken for anything else, in any dialect.
func TestWrite_Names(t *testing.T) {
	t.Parallel()
	for _, d := range dotenv.Dialects {
		if d == dotenv.JSON || d == dotenv.YAML { // names are quoted there
			continue
		}
		for _, name := range []string{"", "A B", "A;id", "A=B", "A\nB", "$(id)", "A`id`", "A'B", "é", "A#"} {
			out, err := dotenv.Write(d, "app", []dotenv.Variable{{Name: name, Value: secret.Of("v")}})
			if !errors.Is(err, dotenv.ErrRefused) || out != nil {
				t.Errorf("%s wrote the name %q: %v", d, name, err)
			}
		}
	}
	if _, err := dotenv.Write("toml", "", nil); err == nil {
		t.Error("an unknown dialect was written")
	}
}

// These follow the documentation: systemd.exec(5), about_Quoting_Rules, and that of workflow commands. What systemd itself makes of
// a file is tested on Linux, beside this. The readers of the other two are nothing that a test can install: PowerShell comes with
// .NET and from no registry that the tests use (the package that npm has fetches it from elsewhere), and the file that $GITHUB_ENV
// names is read by the runner, a program in C# that has no command for it; @actions/core only writes such files.
func TestWrite_ByTheBook(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d           dotenv.Dialect
		value, want string
	}{
		{dotenv.Systemd, `a"b\c$d` + "`e", `K="a\"b\\c\$d` + "\\`e\"\n"},
		{dotenv.Systemd, "a\nb", "K=\"a\nb\"\n"},
		{dotenv.PowerShell, "it's $x", "$env:K = 'it''s $x'\n"},
		{dotenv.PowerShell, "‘a’", "$env:K = '‘‘a’’'\n"},
		{dotenv.Compose, "a$b", "K='a$b'\n"},
		{dotenv.Python, `C:\my dir\`, `K=C:\my dir\` + "\n"},
		{dotenv.Compose, "a'$b\n", `K="a'\$b\n"` + "\n"},
	} {
		got, err := dotenv.Write(c.d, "", []dotenv.Variable{{Name: "K", Value: secret.Of(c.value)}})
		if err != nil || string(got) != c.want {
			t.Errorf("%s of %q: %q, %v; want %q", c.d, c.value, got, err, c.want)
		}
	}
	for d, value := range map[dotenv.Dialect]string{dotenv.Systemd: "a\x01b", dotenv.Docker: "a\nb", dotenv.GitHub: "a\rb", dotenv.Python: "${X}", dotenv.JSON: "\xff"} {
		if _, err := dotenv.Write(d, "", []dotenv.Variable{{Name: "K", Value: secret.Of(value)}}); !errors.Is(err, dotenv.ErrRefused) || !strings.Contains(err.Error(), "K") {
			t.Errorf("%s of %q: %v", d, value, err)
		}
	}
}

func startNode(t *testing.T) reader {
	o := startOracle(t)
	return func(t *testing.T, file []byte) map[string]string {
		return o.ask(t, "parse", file)
	}
}

func startPython(t *testing.T) reader {
	script, err := filepath.Abs("testdata/python.py")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testinstall.Pip(t, "python-dotenv-1.1.1", "python-dotenv==1.1.1"), script)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("python3 is needed for this test: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Errorf("python3: %v", err)
		}
	})
	ask, answers := json.NewEncoder(in), bufio.NewReader(out)
	return func(t *testing.T, file []byte) map[string]string {
		if err := ask.Encode(map[string]string{"src": base64.StdEncoding.EncodeToString(file)}); err != nil {
			t.Fatal(err)
		}
		line, err := answers.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]string
		if err := json.Unmarshal(line, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
}

func jsonReader(*testing.T) reader {
	return func(t *testing.T, file []byte) map[string]string {
		var all map[string]string
		if err := json.Unmarshal(file, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
}

func yamlReader(*testing.T) reader {
	return func(t *testing.T, file []byte) map[string]string {
		var all map[string]string
		if err := yaml.Unmarshal(file, &all); err != nil {
			t.Fatalf("%v in\n%s", err, file)
		}
		return all
	}
}

// githubReader follows the documentation of workflow commands: NAME<<DELIMITER, lines, DELIMITER.
func githubReader(*testing.T) reader {
	return func(_ *testing.T, file []byte) map[string]string {
		all := map[string]string{}
		lines := strings.Split(string(file), "\n")
		for i := 0; i < len(lines); i++ {
			name, delimiter, ok := strings.Cut(lines[i], "<<")
			if !ok {
				continue
			}
			var value []string
			for i++; i < len(lines) && lines[i] != delimiter; i++ {
				value = append(value, lines[i])
			}
			all[name] = strings.Join(value, "\n")
		}
		return all
	}
}

func FuzzWriteNode(f *testing.F) {
	for _, v := range nasty {
		f.Add(v, "2")
	}
	for _, v := range open {
		for _, next := range closing {
			f.Add(v, next)
		}
	}
	f.Fuzz(func(t *testing.T, value, next string) {
		file, err := dotenv.Write(dotenv.Node, "", []dotenv.Variable{{Name: "KEY", Value: secret.Of(value)}, {Name: "AFTER", Value: secret.Of(next)}})
		if err != nil {
			return
		}
		if all := meaning(file); all["KEY"] != value || all["AFTER"] != next || len(all) != 2 {
			t.Fatalf("%q and %q are written as %q and read as %q", value, next, file, all)
		}
	})
}
