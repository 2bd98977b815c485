package guard

import (
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/shellread"
)

var dumps = Refusal{Reason: "this prints the environment, with every secret in it", Instead: "Name the one variable that you need, or ask `zvault secret list` for names"}

// environment judges programs that list variables.
func environment(name string, args []string) Refusal {
	switch name {
	case "env":
		if len(envCommand(args)) == 0 {
			return dumps
		}
	case "printenv":
		if slices.ContainsFunc(args, SecretName) {
			return Refusal{Reason: "this prints a variable that by its name is a secret", Instead: insteadRun}
		}
		if len(operandsOf(args)) == 0 {
			return dumps
		}
	case "set":
		if len(args) == 0 {
			return dumps
		}
	case "export", "declare", "typeset", "readonly", "local":
		if len(operandsOf(args)) == 0 && !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "-") && strings.ContainsAny(a, "fF") }) {
			return dumps
		}
		if slices.Contains(args, "-p") && slices.ContainsFunc(args, SecretName) {
			return Refusal{Reason: "this prints a variable that by its name is a secret", Instead: insteadRun}
		}
	case "ps":
		// BSD's letters have no dash; e shows the environment.
		if len(args) > 0 && !strings.HasPrefix(args[0], "-") && strings.Contains(args[0], "e") {
			return dumps
		}
	case "systemctl":
		if slices.Contains(args, "show-environment") {
			return dumps
		}
	case "get-childitem", "gci", "dir", "ls", "get-item", "gi":
		if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(strings.ToLower(a), "env:") }) {
			return dumps
		}
	}
	return Refusal{}
}

// envCommand is what env is to run: what follows its options and assignments.
func envCommand(args []string) []string {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "-u" || a == "--unset" || a == "-C" || a == "--chdir" || a == "-P":
			i++
		case a == "-S" || strings.HasPrefix(a, "--split-string"):
			return args[i:]
		case a == "--":
			return args[i+1:]
		case !strings.HasPrefix(a, "-") && !strings.Contains(a, "="):
			return args[i:]
		}
	}
	return nil
}

func operandsOf(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, "-") })
}

// SecretName reports whether a variable of this name holds a secret, going by the name.
func SecretName(name string) bool {
	name = strings.ToUpper(name)
	if !shellread.IsName(name) {
		return false
	}
	switch name {
	case "SSH_AUTH_SOCK", "XAUTHORITY", "PWD", "OLDPWD", "GPG_KEY", "KEYBOARD":
		return false
	}
	for _, part := range strings.Split(name, "_") {
		switch part {
		case "KEY", "KEYS", "APIKEY", "TOKEN", "SECRET", "SECRETS", "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PWD", "CREDENTIAL", "CREDENTIALS", "DSN", "AUTH", "PAT":
			return true
		}
	}
	return strings.HasSuffix(name, "DATABASE_URL") || strings.HasSuffix(name, "SECRET") || strings.HasSuffix(name, "TOKEN") || strings.HasSuffix(name, "PASSWORD")
}

// printed judges echo and printf of a variable.
func printed(name string, words []shellread.Word) Refusal {
	if !slices.Contains([]string{"echo", "printf", "print", "write-output", "write-host"}, name) {
		return Refusal{}
	}
	for _, w := range words {
		for _, v := range w.Vars {
			if SecretName(v) && strings.ContainsRune(w.Text, shellread.Unknown) {
				return Refusal{Reason: "this prints $" + v + ", which by its name is a secret", Instead: insteadRun}
			}
		}
		if rest, ok := strings.CutPrefix(strings.ToLower(w.Text), "$env:"); ok && SecretName(rest) {
			return Refusal{Reason: "this prints a variable that by its name is a secret", Instead: insteadRun}
		}
	}
	return Refusal{}
}

// code judges a program that is given as text to an interpreter.
func code(text string) Refusal {
	for _, whole := range []struct{ word, part string }{
		{"os.environ", "[."}, {"process.env", "[."}, {"ENVIRON", "["}, {"%ENV", ""}, {"ENV.to_h", ""}, {"ENV.each", ""}, {"ENV.inspect", ""},
		{"getenv()", ""}, {"$_ENV", "["}, {"os.Environ()", ""}, {"Deno.env.toObject", ""}, {"/environ", ""}, {"p ENV", "["}, {"puts ENV", "["}, {"pp ENV", "["},
	} {
		for rest := text; ; {
			_, after, found := strings.Cut(rest, whole.word)
			if !found {
				break
			}
			rest = after
			next := strings.TrimLeft(after, " ")
			if next == "" || !strings.ContainsAny(next[:1], whole.part) || whole.part == "" {
				return dumps
			}
			// One entry is no listing, but these are: os.environ.items(), process.env[Symbol.iterator] stays out.
			for _, method := range []string{".items", ".values", ".copy", ".__"} {
				if strings.HasPrefix(next, method) {
					return dumps
				}
			}
		}
	}
	return Refusal{}
}
