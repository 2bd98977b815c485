// Package guard judges what an assistant is about to do: read a file, run a command. It stops what would show it secrets: files like
// .env, the vault's own folder, listings of the environment, and zvault's own commands that print values.
//
// It is one line of defence, not a jail: a program that an assistant may run as the same person can do whatever that person can. What
// stays hidden from it is what is not there to be read.
package guard

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Guard knows the places. The zero Guard knows no vault.
type Guard struct {
	// Vault is the vault's folder, absolute.
	Vault string
	// Home is the person's folder, absolute.
	Home string
	// Dir is where relative paths and commands start, absolute.
	Dir string
}

// Refusal says why something is stopped, and what to do instead. The zero Refusal stops nothing.
type Refusal struct {
	Reason  string
	Instead string
	// vault says that it is about the vault's folder, where even names are nobody's business.
	vault bool
}

// Stops reports whether there is a reason.
func (r Refusal) Stops() bool { return r.Reason != "" }

// String is the reason with what to do instead.
func (r Refusal) String() string {
	if r.Instead == "" {
		return r.Reason
	}
	return r.Reason + ". " + r.Instead
}

const (
	insteadRun  = "`zvault run -- COMMAND` runs a program with the secrets; `zvault secret list` shows their names"
	insteadFile = "the names stand in .env.zvault and in `zvault secret list`; `zvault run -- COMMAND` gives a program the values"
)

// File judges the reading of a file.
func (g Guard) File(name string) Refusal {
	if name = strings.TrimSpace(name); name == "" {
		return Refusal{}
	}
	name = strings.TrimPrefix(name, "file://")
	full := g.absolute(name)
	if r := g.place(full); r.Stops() {
		return r
	}
	// A link is judged by what it leads to as well.
	if real, err := filepath.EvalSymlinks(filepath.FromSlash(full)); err == nil {
		return g.place(filepath.ToSlash(real))
	}
	return Refusal{}
}

// absolute makes a path absolute and clean, with forward slashes.
func (g Guard) absolute(name string) string {
	if filepath.Separator == '\\' || strings.Contains(name, `\`) && !strings.Contains(name, "/") {
		name = strings.ReplaceAll(name, `\`, "/")
	}
	if rest, ok := strings.CutPrefix(name, "~"); ok && (rest == "" || rest[0] == '/') {
		name = filepath.ToSlash(g.Home) + rest
	}
	if !path.IsAbs(name) && !filepath.IsAbs(filepath.FromSlash(name)) {
		name = filepath.ToSlash(g.Dir) + "/" + name
	}
	return path.Clean(name)
}

func (g Guard) place(full string) Refusal {
	switch {
	case g.inVault(full):
		return Refusal{Reason: "this is the folder of the vault", Instead: "`zvault secret list` and `zvault status` say what is in it", vault: true}
	case isEnviron(full):
		return Refusal{Reason: "this is the environment of a process, with its secrets", Instead: insteadRun}
	case IsEnvFile(path.Base(full)):
		return Refusal{Reason: path.Base(full) + " is a file of secrets", Instead: insteadFile}
	case isKeyFile(full):
		return Refusal{Reason: path.Base(full) + " holds a private key or credentials"}
	}
	return Refusal{}
}

func (g Guard) inVault(full string) bool {
	for _, vault := range g.vaults() {
		if equalPath(full, vault) || len(full) > len(vault) && full[len(vault)] == '/' && equalPath(full[:len(vault)], vault) {
			return true
		}
	}
	return false
}

// vaults are the vault's folder as it was named and as it is.
func (g Guard) vaults() []string {
	if g.Vault == "" {
		return nil
	}
	all := []string{path.Clean(filepath.ToSlash(g.Vault))}
	if real, err := filepath.EvalSymlinks(g.Vault); err == nil {
		all = append(all, path.Clean(filepath.ToSlash(real)))
	}
	return all
}

// equalPath passes over case, as the file systems of two of three systems do.
func equalPath(a, b string) bool { return strings.EqualFold(a, b) }

// isEnviron finds /proc/PID/environ in all its spellings.
func isEnviron(full string) bool {
	return strings.HasPrefix(full, "/proc/") && (strings.HasSuffix(full, "/environ") || globMatches(path.Base(full), "environ"))
}

// harmless endings of .env files hold no values.
var harmless = [...]string{".zvault", ".example", ".sample", ".template", ".dist", ".schema", ".tpl", ".d.ts", ".md"}

// IsEnvFile reports whether a file of this name holds values like a .env.
func IsEnvFile(base string) bool {
	base = strings.ToLower(strings.TrimRight(base, " ."))
	for _, end := range harmless {
		if strings.HasSuffix(base, end) {
			return false
		}
	}
	return base == ".env" || base == ".envrc" || strings.HasPrefix(base, ".env.") || strings.HasPrefix(base, ".env-") || strings.HasPrefix(base, ".env_") ||
		strings.HasSuffix(base, ".env")
}

func isKeyFile(full string) bool {
	base, dir := path.Base(full), path.Base(path.Dir(full))
	switch {
	case dir == ".ssh" && strings.HasPrefix(base, "id_") && !strings.HasSuffix(base, ".pub"):
		return true
	case dir == ".aws" && base == "credentials":
		return true
	}
	return base == ".netrc" || base == ".pgpass"
}

// examples are names that a pattern with wildcards is tried on.
var examples = [...]string{".env", ".env.local", ".env.production", ".env.development", ".env.staging", ".env.test", ".envrc", "prod.env"}

// Pattern judges the reading of the files that a word names, which may hold wildcards.
func (g Guard) Pattern(word string) Refusal {
	base := path.Base(strings.ReplaceAll(word, `\`, "/"))
	if !strings.ContainsAny(word, "*?[\x00") {
		return g.File(word)
	}
	for _, name := range examples {
		if globMatches(base, name) {
			return Refusal{Reason: "this may be " + name + ", a file of secrets", Instead: insteadFile}
		}
	}
	if strings.HasPrefix(word, "/proc/") && globMatches(base, "environ") {
		return Refusal{Reason: "this is the environment of a process, with its secrets", Instead: insteadRun}
	}
	// What stands before the first wildcard may lead into the vault.
	if cut := strings.IndexAny(word, "*?[\x00"); cut > 0 {
		if fixed := word[:cut]; strings.Contains(fixed, "/") {
			return g.File(fixed[:strings.LastIndexByte(fixed, '/')+1] + ".")
		}
	}
	return Refusal{}
}

// globMatches is the shell's rule: a wildcard at the start does not match a dot. A base of which nothing is known matches nothing.
func globMatches(base, name string) bool {
	known := strings.Trim(base, "*?\x00")
	if known == "" || (base[0] == '*' || base[0] == '?') && name[0] == '.' {
		return false
	}
	ok, err := path.Match(strings.ReplaceAll(base, "\x00", "*"), name)
	return err == nil && ok
}

// exists reports whether a file is there.
func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
