package guard

import (
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/shellread"
)

// isShell reports whether a program runs what is given to it as shell commands.
func isShell(name string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "rbash"}, name)
}

// interpreters take a program as an argument behind one of these options.
func inlineOptions(name string) []string {
	switch strings.TrimRight(name, "0123456789.") {
	case "python", "pypy":
		return []string{"-c"}
	case "node", "nodejs", "bun":
		return []string{"-e", "-p", "--eval", "--print", "-pe"}
	case "deno":
		return []string{"eval"}
	case "ruby", "perl":
		return []string{"-e", "-E", "-ne", "-pe", "-le", "-lne", "-we"}
	case "php":
		return []string{"-r"}
	case "awk", "gawk", "mawk":
		return []string{""}
	}
	return nil
}

// wrapper reports whether a program runs another one that its arguments name.
func wrapper(name string) bool {
	return slices.Contains([]string{
		"sudo", "doas", "nice", "nohup", "time", "timeout", "stdbuf", "setsid", "command", "builtin", "exec", "env", "xargs", "unbuffer", "watch", "ssh",
		"docker", "podman", "nerdctl", "kubectl", "nsenter", "chroot", "su", "script", "find", "fd", "parallel", "flock", "ionice", "strace", "ltrace", "busybox",
		"npx", "pnpm", "yarn", "uv", "poetry", "pipenv", "bundle", "direnv", "dotenvx", "doppler", "infisical", "op", "nix-shell", "wsl", "toybox", "catchsegv",
		"runuser", "systemd-run", "caffeinate", "gtimeout", "entr", "hyperfine", "eatmydata", "faketime", "unshare", "cmd", "powershell", "pwsh",
	}, name)
}

// within judges commands inside of a command.
func (g Guard) within(name string, args []string, stdin string, depth int) Refusal {
	rest := args[1:]
	if isShell(name) {
		return g.shell(rest, stdin, depth)
	}
	switch name {
	case "eval":
		return g.command(strings.Join(rest, " "), depth+1)
	case "source", ".":
		if len(rest) > 0 {
			return g.word(rest[0], depth)
		}
	case "alias":
		for _, a := range rest {
			if _, value, ok := strings.Cut(a, "="); ok {
				if r := g.command(value, depth+1); r.Stops() {
					return r
				}
			}
		}
	case "trap":
		if len(rest) > 0 {
			return g.command(rest[0], depth+1)
		}
	}
	if options := inlineOptions(name); options != nil {
		return inline(options, rest, stdin)
	}
	if wrapper(name) {
		return g.wrapped(name, rest, stdin, depth)
	}
	return Refusal{}
}

// shell judges the arguments and the input of a shell.
func (g Guard) shell(args []string, stdin string, depth int) Refusal {
	for i, a := range args {
		if strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.Contains(a, "c") && i+1 < len(args) {
			return g.command(args[i+1], depth+1)
		}
	}
	if stdin != "" {
		return g.command(stdin, depth+1)
	}
	return Refusal{}
}

// inline judges a program that is an argument or the input of an interpreter.
func inline(options, args []string, stdin string) Refusal {
	for i, a := range args {
		switch {
		case options[0] == "":
			if r := code(a); r.Stops() {
				return r
			}
		case slices.Contains(options, a) && i+1 < len(args):
			if r := code(args[i+1]); r.Stops() {
				return r
			}
		case slices.ContainsFunc(options, func(o string) bool { return len(a) > len(o) && strings.HasPrefix(a, o) }):
			if r := code(a); r.Stops() {
				return r
			}
		}
	}
	return code(stdin)
}

// wrapped judges what a wrapper runs. Which of its arguments begin the command depends on its options, so all are tried.
func (g Guard) wrapped(name string, args []string, stdin string, depth int) Refusal {
	if depth >= maxNesting {
		return Refusal{Reason: "these are too many commands within commands", Instead: "Write it plainly"}
	}
	for i, a := range args {
		inner := program(a)
		rest := slices.Clone(args[i+1:])
		if end := slices.IndexFunc(rest, func(w string) bool { return w == ";" || w == "+" || w == "{}" }); end >= 0 && (name == "find" || name == "fd") {
			rest = rest[:end]
		}
		words := append([]string{a}, rest...)
		switch {
		case (a == "-c" || a == "/c" || strings.EqualFold(a, "-command")) && len(rest) > 0:
			if r := g.command(rest[0], depth+1); r.Stops() {
				return r
			}
		case inner == "env" || inner == "printenv" || inner == "zvault" || isShell(inner) || inlineOptions(inner) != nil || a == "set" && i > 0 && a == args[len(args)-1]:
			if inner != "set" || name != "git" {
				if r := g.simple(shellread.Command{Words: wordsOf(words), Stdin: stdin}, nil, depth+1); r.Stops() {
					return r
				}
			}
		case strings.ContainsAny(a, " \t;|&") && !strings.HasPrefix(a, "-"):
			// ssh host 'env', su -c 'env', watch 'env'. A text that is no command is none of theirs.
			if r := g.command(a, depth+1); r.Stops() && !strings.Contains(r.Reason, "cannot be read") {
				return r
			}
		}
	}
	return Refusal{}
}

// decodes reports whether a program turns what nobody can read into text.
func decodes(name string, args []string) bool {
	switch name {
	case "base64", "base32", "basenc", "openssl":
		return slices.ContainsFunc(args, func(a string) bool { return a == "-d" || a == "-D" || a == "--decode" || a == "-di" })
	case "xxd":
		return slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "-r") })
	case "rev", "uudecode", "gunzip", "zcat", "tac":
		return true
	}
	return false
}

// feedsShell reports whether a pipeline ends in a shell or in what runs its input.
func feedsShell(pipeline int, after []shellread.Command) bool {
	return slices.ContainsFunc(after, func(c shellread.Command) bool {
		return c.Pipeline == pipeline && slices.ContainsFunc(c.Words, func(w shellread.Word) bool {
			return isShell(program(w.Text)) || w.Text == "source" || w.Text == "."
		})
	})
}

// own judges zvault's own commands.
func (g Guard) own(name string, args []string, depth int) Refusal {
	if name != "zvault" {
		return Refusal{}
	}
	words := zvaultWords(args)
	is := func(path ...string) bool { return len(words) >= len(path) && slices.Equal(words[:len(path)], path) }
	switch {
	case slices.Contains(args, "--help") || slices.Contains(args, "-h"):
	case is("secret", "get"), is("secrets", "get"), is("export"), is("kv", "get"), is("read"), is("unwrap"), is("get"), slices.Contains(args, "--show"):
		return Refusal{Reason: "this prints values of the vault", Instead: insteadRun}
	case is("approve"), is("secret", "allow"), is("policy", "write"), is("ai", "allow"):
		return Refusal{Reason: "this is for the person to decide, in a terminal of their own"}
	case is("setup") && slices.Contains(args, "--undo"):
		return Refusal{Reason: "this would take the person's safeguards away", Instead: "Ask them to do it"}
	case is("run"):
		return g.run(args, depth)
	}
	return Refusal{}
}

// run judges the program that `zvault run` is to run: what prints variables there prints secrets.
func (g Guard) run(args []string, depth int) Refusal {
	if slices.Contains(args, "--redact") {
		return Refusal{}
	}
	if at := slices.Index(args, "--"); at >= 0 {
		args = args[at+1:]
	} else {
		args = args[1:]
	}
	for _, a := range args {
		if program(a) == "printenv" {
			return Refusal{Reason: "this prints values of the vault", Instead: "`zvault run --redact` masks them"}
		}
	}
	if depth >= maxNesting {
		return Refusal{Reason: "these are too many commands within commands", Instead: "Write it plainly"}
	}
	return g.wrapped("run", args, "", depth)
}

// zvaultWords are zvault's arguments without its flags.
func zvaultWords(args []string) []string {
	var words []string
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case slices.Contains([]string{"-p", "--project", "-e", "--env", "--address", "--namespace"}, a):
			i++
		case !strings.HasPrefix(a, "-"):
			words = append(words, a)
		}
	}
	return words
}
