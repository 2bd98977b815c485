package guard

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/shellread"
)

// maxNesting is how deep a command within a command is followed: bash -c "bash -c ...".
const maxNesting = 8

// Command judges a command line of a POSIX shell.
func (g Guard) Command(line string) Refusal { return g.command(line, 0) }

// Arguments judges a command that is given as its arguments.
func (g Guard) Arguments(args []string) Refusal {
	return g.simple(shellread.Command{Words: wordsOf(args)}, nil, 0)
}

func wordsOf(args []string) []shellread.Word {
	words := make([]shellread.Word, len(args))
	for i, a := range args {
		words[i] = shellread.Word{Text: a}
	}
	return words
}

func (g Guard) command(line string, depth int) Refusal {
	if depth > maxNesting {
		return Refusal{Reason: "these are too many commands within commands", Instead: "Write it plainly"}
	}
	vars := map[string]string{"HOME": g.Home, "PWD": g.Dir, "ZVAULT_HOME": g.Vault}
	all, err := shellread.Read(line, vars)
	if err != nil {
		return Refusal{Reason: "the command cannot be read: a quote, a bracket or a here-document has no end", Instead: "Write it plainly"}
	}
	for i, c := range all {
		if r := g.simple(c, all[i+1:], depth); r.Stops() {
			return r
		}
		g = g.moved(c)
	}
	return Refusal{}
}

// moved is the Guard after a cd.
func (g Guard) moved(c shellread.Command) Guard {
	if len(c.Words) == 2 && (c.Words[0].Text == "cd" || c.Words[0].Text == "pushd") && !strings.ContainsRune(c.Words[1].Text, shellread.Unknown) {
		g.Dir = g.absolute(c.Words[1].Text)
	}
	return g
}

// simple judges one command; after are those that come later in the line.
func (g Guard) simple(c shellread.Command, after []shellread.Command, depth int) Refusal {
	for _, r := range c.Redirects {
		if strings.HasPrefix(r.Op, "<") {
			if stop := g.word(r.Target.Text, depth); stop.Stops() {
				return stop
			}
		}
	}
	for _, w := range c.Assigned {
		if stop := g.word(w.Text, depth); stop.Stops() && !stop.vault {
			return stop
		}
	}
	if len(c.Words) == 0 {
		return Refusal{}
	}
	args := make([]string, len(c.Words))
	for i, w := range c.Words {
		args[i] = w.Text
	}
	name := program(args[0])
	for _, judge := range []func() Refusal{
		func() Refusal { return environment(name, args[1:]) },
		func() Refusal { return printed(name, c.Words[1:]) },
		func() Refusal { return g.own(name, args[1:], depth) },
		func() Refusal { return g.within(name, args, c.Stdin, depth) },
		func() Refusal { return g.recursive(name, args[1:]) },
	} {
		if r := judge(); r.Stops() {
			return r
		}
	}
	if decodes(name, args[1:]) && c.Piped && feedsShell(c.Pipeline, after) {
		return Refusal{Reason: "this runs commands that cannot be read here", Instead: "Write them plainly"}
	}
	if (name == "echo" || name == "printf") && c.Piped && feedsShell(c.Pipeline, after) {
		if r := g.command(strings.Join(args[1:], " "), depth+1); r.Stops() {
			return r
		}
	}
	return g.operands(name, args[1:], c.Piped, depth)
}

// program is the name of a program without its folder and ending.
func program(word string) string {
	name := strings.ToLower(path.Base(strings.ReplaceAll(word, `\`, "/")))
	for _, end := range []string{".exe", ".cmd", ".bat"} {
		name = strings.TrimSuffix(name, end)
	}
	return name
}

// namesOnly are programs that show or change which files there are, and not what is in them.
func namesOnly(name string, args []string) bool {
	switch name {
	case "ls", "rm", "touch", "chmod", "chown", "stat", "test", "[", "[[", "mkdir", "rmdir", "basename", "dirname", "realpath", "cd", "echo", "printf", "file", "du":
		return true
	case "find", "fd":
		return !slices.ContainsFunc(args, func(a string) bool {
			return strings.HasPrefix(a, "-exec") || strings.HasPrefix(a, "-ok") || a == "-x" || a == "-X"
		})
	case "git":
		return len(args) > 0 && slices.Contains([]string{"check-ignore", "rm", "ls-files", "status", "update-index"}, args[0])
	case "zvault":
		return len(args) > 0 && slices.Contains([]string{"import", "scan", "setup", "doctor"}, args[0])
	}
	return false
}

// operands judges the words of a command as files.
func (g Guard) operands(name string, args []string, piped bool, depth int) Refusal {
	spared := namesOnly(name, args) && !piped
	for _, a := range args {
		r := g.word(a, depth)
		if r.Stops() && spared && !r.vault {
			continue
		}
		if r.Stops() {
			return r
		}
	}
	return Refusal{}
}

// word judges a word as a file, and what is behind an equals sign, an at sign or within code.
func (g Guard) word(text string, depth int) Refusal {
	for _, one := range braces(text) {
		if r := g.Pattern(one); r.Stops() {
			return r
		}
		if _, value, ok := strings.Cut(one, "="); ok && depth < maxNesting {
			if r := g.word(value, depth+1); r.Stops() {
				return r
			}
		}
		if r := g.mentioned(one); r.Stops() {
			return r
		}
	}
	return Refusal{}
}

// mentioned looks for files within a longer text: @.env, HEAD:.env, open('.env').
func (g Guard) mentioned(text string) Refusal {
	parts := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune("'\"`()[]{}<>,;:@=| \t\n+&", c) })
	if len(parts) == 1 && parts[0] == text {
		return Refusal{}
	}
	for _, p := range parts {
		if r := g.place(g.absolute(p)); r.Stops() {
			return r
		}
	}
	return Refusal{}
}

// braces expands {a,b} of a word, within reason.
func braces(word string) []string {
	out := []string{word}
	for range 4 {
		var next []string
		for _, w := range out {
			next = append(next, brace(w)...)
		}
		if len(next) == len(out) || len(next) > 64 {
			break
		}
		out = next
	}
	return out
}

func brace(word string) []string {
	open := strings.IndexByte(word, '{')
	if open < 0 {
		return []string{word}
	}
	length := strings.IndexByte(word[open:], '}')
	if length < 0 || !strings.Contains(word[open:open+length], ",") {
		return []string{word}
	}
	inner := word[open+1 : open+length]
	if again := strings.LastIndexByte(inner, '{'); again >= 0 { // the innermost pair first
		open += 1 + again
		length -= 1 + again
		if inner = word[open+1 : open+length]; !strings.Contains(inner, ",") {
			return []string{word}
		}
	}
	var out []string
	for one := range strings.SplitSeq(inner, ",") {
		out = append(out, word[:open]+one+word[open+length+1:])
	}
	return out
}

// recursive stops a search through all files where a .env lies among them.
func (g Guard) recursive(name string, args []string) Refusal {
	deep := false
	switch name {
	case "grep", "egrep", "fgrep", "zgrep":
		deep = slices.ContainsFunc(args, func(a string) bool {
			return a == "--recursive" || a == "--dereference-recursive" || len(a) > 1 && a[0] == '-' && a[1] != '-' && strings.ContainsAny(a, "rR")
		}) && !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--include") || strings.Contains(a, "--exclude=.env") })
	case "rg", "ag":
		deep = slices.ContainsFunc(args, func(a string) bool {
			return a == "--hidden" || a == "--unrestricted" || a == "-." || len(a) > 2 && a[0] == '-' && strings.Trim(a[1:], "u") == ""
		})
	}
	if !deep {
		return Refusal{}
	}
	folders := []string{g.Dir}
	for _, a := range args {
		if !strings.HasPrefix(a, "-") && !strings.ContainsRune(a, shellread.Unknown) {
			folders = append(folders, g.absolute(a))
		}
	}
	if len(folders) > 2 { // a pattern and places: not here
		folders = folders[1:]
	}
	for _, dir := range folders {
		if exists(filepath.Join(filepath.FromSlash(dir), ".env")) {
			return Refusal{Reason: "this searches .env too, a file of secrets", Instead: "Use `git grep`, or add --exclude='.env*'"}
		}
	}
	return Refusal{}
}
