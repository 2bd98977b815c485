package network

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/fill"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

type commandIn struct {
	Command     []string          `json:"command" jsonschema:"the program and its arguments; there is no shell"`
	Secrets     []string          `json:"secrets,omitempty" jsonschema:"names of secrets that the program gets as environment variables of the same name"`
	Environment map[string]string `json:"environment,omitempty" jsonschema:"further environment variables; a value may hold ${zvault://KEY}"`
	Directory   string            `json:"directory,omitempty" jsonschema:"where to run it, below the project's folder"`
	Env         string            `json:"env,omitempty" jsonschema:"environment of the secrets; the one in force unless given"`
}

type commandOut struct {
	ExitCode  int    `json:"exit_code" jsonschema:"the exit code; -1 if it was ended"`
	Stdout    string `json:"stdout"`
	Stderr    string `json:"stderr"`
	Truncated bool   `json:"truncated" jsonschema:"whether it printed more than is here"`
	Hint      string `json:"hint,omitempty"`
}

func runCommand() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "run_command", Title: "Run a program with secrets", Set: tool.Proxy,
		Text: "Runs a program in the project's folder with the named secrets in its environment, and returns what it prints, with values masked. " +
			"Use it for what needs a secret; a first use asks the person.",
		Destructive: true, OpenWorld: true, Outside: true,
	}, runProgram)
}

// passedOn are the variables that a program gets of this process: none holds a secret.
var passedOn = []string{"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "TERM", "USER", "LOGNAME", "SHELL", "SystemRoot", "SystemDrive", "USERPROFILE", "PATHEXT", "ComSpec"}

func runProgram(ctx context.Context, c *tool.Call, in commandIn) (*commandOut, error) {
	if len(in.Command) == 0 || in.Command[0] == "" {
		return nil, tool.Invalid("command is empty")
	}
	for _, a := range in.Command {
		if strings.ContainsRune(a, 0) {
			return nil, tool.Invalid("an argument has a NUL in it")
		}
		if strings.Contains(a, ref.Scheme) {
			return nil, tool.Invalid("arguments are seen by every program of this machine: name the secret in secrets or environment, and have the program read the variable")
		}
	}
	dir, err := below(c.Dir, in.Directory)
	if err != nil {
		return nil, err
	}
	f := fill.New(c, "run_command", in.Env)
	variables := map[string]string{}
	for _, name := range in.Secrets {
		variables[name] = ref.Scheme + name
	}
	for name, text := range in.Environment {
		variables[name] = text
	}
	for name, text := range variables {
		if name == "" || strings.ContainsAny(name, "=\x00") || loads(name) {
			return nil, tool.Invalid("%q is no environment variable that can be set here", name)
		}
		if _, err := f.Add("env:"+name, text); err != nil {
			return nil, err
		}
	}
	f.Use.Command = in.Command
	if err := f.Reveal(ctx); err != nil {
		return nil, err
	}
	env := []string{}
	for _, name := range passedOn {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	for name, text := range variables {
		v, err := f.Fill(text)
		if err != nil {
			return nil, err
		}
		if strings.ContainsRune(v, 0) {
			return nil, tool.Invalid("the value for %s has a NUL in it, which no environment can hold", name)
		}
		env = append(env, name+"="+v)
	}
	return execute(ctx, c, f, in.Command, dir, env)
}

// loads reports whether a variable makes a program load other code: a permission for one program would then be one for any.
func loads(name string) bool {
	return strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "DYLD_") ||
		slices.Contains([]string{"PATH", "HOME", "BASH_ENV", "ENV", "NODE_OPTIONS", "PYTHONPATH", "PYTHONSTARTUP", "PERL5OPT", "RUBYOPT", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF", "PAGER", "EDITOR", "VISUAL", "IFS"}, name)
}

// below is a folder within the project's.
func below(root, dir string) (string, error) {
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", tool.Failed("failed", "the project's folder cannot be found")
	}
	path, err := filepath.EvalSymlinks(filepath.Join(real, dir))
	if err != nil {
		return "", tool.Failed("not_found", "there is no directory %q", dir)
	}
	if rel, err := filepath.Rel(real, path); err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", tool.Invalid("directory leaves the project's folder")
	}
	return path, nil
}

func execute(ctx context.Context, c *tool.Call, f *fill.Form, command []string, dir string, env []string) (*commandOut, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Limits.Time)
	defer cancel()
	path, err := exec.LookPath(command[0])
	if err != nil {
		return nil, tool.Failed("not_found", "there is no program %q", command[0])
	}
	out, errs := &limited{limit: c.Limits.Object + margin}, &limited{limit: c.Limits.Object + margin}
	cmd := exec.CommandContext(ctx, path, command[1:]...)
	cmd.Args[0], cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = command[0], dir, env, out, errs
	group(cmd)
	err = cmd.Run()
	result := &commandOut{ExitCode: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		return nil, tool.Failed("failed", "%q could not be run", command[0])
	}
	for _, s := range []struct {
		to   *string
		from *limited
	}{{&result.Stdout, out}, {&result.Stderr, errs}} {
		masked, err := f.Mask(s.from.b.Bytes())
		if err != nil {
			return nil, err
		}
		if len(masked) > c.Limits.Object || s.from.cut {
			masked, result.Truncated = masked[:min(len(masked), c.Limits.Object)], true
		}
		*s.to = strings.ToValidUTF8(string(masked), "\uFFFD")
	}
	switch {
	case ctx.Err() != nil:
		result.ExitCode, result.Hint = -1, "it took too long and was ended"
	case result.Truncated:
		result.Hint = "it printed more than is shown; have it print less, or into a file"
	}
	return result, nil
}

// limited keeps the beginning of what is written to it.
type limited struct {
	b     bytes.Buffer
	limit int
	cut   bool
}

func (l *limited) Write(p []byte) (int, error) {
	room := l.limit - l.b.Len()
	if len(p) > room {
		l.cut = true
		l.b.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return l.b.Write(p)
}
