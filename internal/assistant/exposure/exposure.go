// Package exposure looks for what an assistant that runs as this person in this folder could see: values in files, in histories and
// settings, in the environment and in transcripts, and safeguards that are missing. It names places and secrets and never a value.
package exposure

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/assistant/editors"
	"github.com/ArcadeLabsInc/zvault/internal/assistant/guard"
	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// Finding is what one check found. An empty Problem is good news.
type Finding struct {
	Check, Problem, Mend string
}

// Look says where to look, and how.
type Look struct {
	Places editors.Places
	// Vault is the vault's folder.
	Vault string
	// Find lists the addresses of the vault's values in a text; nil while the vault is closed.
	Find func(text []byte) []string
	// Environ is the environment, as NAME=value.
	Environ []string
}

// Limits of what is read: of one file, and of all transcripts.
const (
	maxFile        = 64 << 20
	maxTranscripts = 512 << 20
)

// All runs all checks but those of git and of the seal.
func (l Look) All(ctx context.Context) []Finding {
	var all []Finding
	for _, check := range []func(context.Context) []Finding{l.plainFiles, l.histories, l.environment, l.servers, l.transcripts, l.vault, l.safeguards} {
		if ctx.Err() != nil {
			break
		}
		all = append(all, check(ctx)...)
	}
	return all
}

// none makes an empty list good news.
func none(check string, all []Finding) []Finding {
	if len(all) == 0 {
		return []Finding{{Check: check}}
	}
	return all
}

// plainFiles looks for files like .env with values, some folders deep.
func (l Look) plainFiles(ctx context.Context) []Finding {
	const check, deep = "files of secrets", 5
	var all []Finding
	err := filepath.WalkDir(l.Places.Project, func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return ctx.Err() // what cannot be read here cannot be read by an assistant either
		}
		if d.IsDir() {
			below, _ := filepath.Rel(l.Places.Project, path)
			if slices.Contains([]string{".git", "node_modules", ".venv", "vendor", "target"}, d.Name()) || strings.Count(below, string(filepath.Separator)) >= deep {
				return filepath.SkipDir
			}
			return nil
		}
		if n := plainValues(path); guard.IsEnvFile(d.Name()) && n > 0 {
			name := l.short(path)
			all = append(all, Finding{check, fmt.Sprintf("%s holds %s in clear", name, values(n)), "zvault import " + name + " --remove"})
		}
		return nil
	})
	if err != nil {
		all = append(all, Finding{check, "looking at the project: " + err.Error(), "look yourself"})
	}
	return none(check, all)
}

func values(n int) string {
	if n == 1 {
		return "1 value"
	}
	return fmt.Sprintf("%d values", n)
}

// plainValues counts entries that are neither empty nor references.
func plainValues(path string) int {
	if !guard.IsEnvFile(filepath.Base(path)) {
		return 0
	}
	text, err := read(path)
	if err != nil {
		return 0
	}
	file, _ := dotenv.Parse(text)
	n := 0
	for _, e := range file.Effective() {
		if e.Value.Len() > 0 && !ref.MayRefer(e.Value.Reveal()) {
			n++
		}
	}
	return n
}

var errTooLarge = errors.New("the file is too large")

// read reads a regular file within reason.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, errTooLarge
	}
	return os.ReadFile(path) //nolint:gosec // the paths are those that an assistant could read
}

// short names a file from the project or the person's folder.
func (l Look) short(path string) string {
	if rel, err := filepath.Rel(l.Places.Project, path); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return rel
	}
	if rel, err := filepath.Rel(l.Places.Home, path); err == nil && !strings.HasPrefix(rel, "..") {
		return filepath.Join("~", rel)
	}
	return path
}

// stored lists the vault's values in a text, each once.
func (l Look) stored(text []byte) []string {
	if l.Find == nil {
		return nil
	}
	all := l.Find(text)
	slices.Sort(all)
	return slices.Compact(all)
}

// list names some secrets and says how many more there are.
func list(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// histories looks at what shells remember and start with.
func (l Look) histories(context.Context) []Finding {
	var all []Finding
	for _, name := range []string{
		".bash_history", ".zsh_history", ".local/share/fish/fish_history", ".history", ".psql_history", ".mysql_history", ".node_repl_history", ".python_history",
		".rediscli_history", "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt", ".local/share/powershell/PSReadLine/ConsoleHost_history.txt",
	} {
		path := filepath.Join(l.Places.Home, filepath.FromSlash(name))
		if text, err := read(path); err == nil {
			if found := l.stored(text); len(found) > 0 {
				all = append(all, Finding{"shell histories", l.short(path) + " holds " + list(found), "remove those lines, then rotate: zvault secret set NAME"})
			}
		}
	}
	all = none("shell histories", all)
	var profiles []Finding
	for _, name := range []string{".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv", ".zprofile", ".config/fish/config.fish"} {
		path := filepath.Join(l.Places.Home, filepath.FromSlash(name))
		text, err := read(path)
		if err != nil {
			continue
		}
		found := l.stored(text)
		if found = append(found, literals(string(text))...); len(found) > 0 {
			profiles = append(profiles, Finding{"shell profiles", l.short(path) + " holds " + list(found), "take the lines out; `zvault run -- COMMAND` gives a program what it needs"})
		}
	}
	return append(all, none("shell profiles", profiles)...)
}

// literals names the variables of a script that by their names are secrets and have a value written out.
func literals(script string) []string {
	var names []string
	for line := range strings.Lines(script) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		if rest, ok := strings.CutPrefix(line, "set -gx "); ok {
			line = strings.Replace(rest, " ", "=", 1)
		}
		name, value, ok := strings.Cut(line, "=")
		value = strings.Trim(value, `"' `)
		if ok && guard.SecretName(name) && len(value) >= 8 && !strings.ContainsAny(value, "$`/~") {
			names = append(names, name)
		}
	}
	return names
}

// environment looks at the variables that an assistant started from here inherits.
func (l Look) environment(context.Context) []Finding {
	const check = "environment"
	var names []string
	for _, entry := range l.Environ {
		name, value, _ := strings.Cut(entry, "=")
		opens := slices.Contains([]string{"ZVAULT_UNSEAL_KEY", "ZVAULT_PASSPHRASE_FILE", "ZVAULT_TOKEN", "VAULT_TOKEN"}, name) && value != ""
		if opens || len(l.stored([]byte(value))) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return []Finding{{Check: check}}
	}
	return []Finding{{check, "this shell has " + list(names), "unset " + strings.Join(names, " ") + ", and start assistants from a shell without them"}}
}

// vault looks whether others can read the vault's folder.
func (l Look) vault(context.Context) []Finding {
	const check = "vault folder"
	info, err := os.Stat(l.Vault)
	if err != nil || l.Places.GOOS == "windows" {
		return []Finding{{Check: check}}
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return []Finding{{check, fmt.Sprintf("others can use %s (mode %04o)", l.short(l.Vault), mode), "chmod -R go= " + l.Vault}}
	}
	return []Finding{{Check: check}}
}
