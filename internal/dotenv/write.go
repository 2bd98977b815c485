package dotenv

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Dialect is a format of name-value files, each with its own reader and quoting.
type Dialect string

// The dialects that Write knows.
const (
	Node       Dialect = "env"        // the npm package dotenv; also what Parse reads
	Python     Dialect = "python"     // python-dotenv
	Docker     Dialect = "docker"     // docker run --env-file
	Compose    Dialect = "compose"    // env_file of docker compose
	Shell      Dialect = "shell"      // source, in any POSIX shell
	Systemd    Dialect = "systemd"    // EnvironmentFile= of a unit
	PowerShell Dialect = "powershell" // a script to be dot-sourced
	GitHub     Dialect = "github"     // the file that $GITHUB_ENV names
	Kubernetes Dialect = "k8s"        // a Secret's manifest
	JSON       Dialect = "json"
	YAML       Dialect = "yaml"
)

// Dialects lists them all.
var Dialects = []Dialect{Node, Python, Docker, Compose, Shell, Systemd, PowerShell, GitHub, Kubernetes, JSON, YAML}

// ErrRefused is wrapped by what Write returns for a name or a value that the dialect cannot hold.
var ErrRefused = errors.New("cannot be written")

// Variable is a name with its value.
type Variable struct {
	Name  string
	Value secret.Value
}

// Write writes variables in a dialect. name is for those that have one (the Secret's manifest). What a dialect cannot hold is
// refused with the variable's name and the reason; then nothing is written.
func Write(d Dialect, name string, variables []Variable) ([]byte, error) {
	if !slices.Contains(Dialects, d) {
		return nil, fmt.Errorf("there is no format %q; there are %v", d, Dialects)
	}
	var out bytes.Buffer
	switch d {
	case JSON:
		return writeJSON(variables)
	case YAML:
		return writeYAML(variables)
	case Kubernetes:
		return writeManifest(name, variables)
	case Node, Python, Docker, Compose, Shell, Systemd, PowerShell, GitHub:
	}
	line := map[Dialect]func(string, string) (string, error){
		Node: nodeLine, Python: pythonLine, Docker: dockerLine, Compose: composeLine,
		Shell: shellLine, Systemd: systemdLine, PowerShell: powerShellLine, GitHub: githubLine,
	}[d]
	for _, v := range variables {
		text, err := line(v.Name, string(v.Value.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("%s as %s: %w", shownName(v.Name), d, err)
		}
		out.WriteString(text)
	}
	if d == Node {
		if err := checkWhole(out.Bytes(), variables); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

func shownName(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r >= 0x7f || !isName(byte(r)) }) {
		return fmt.Sprintf("%q", name)
	}
	return name
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrRefused)
}

// identifier refuses names that are no variable of a shell; a name can then never be taken for anything else.
func identifier(name string) error {
	for i := range len(name) {
		c := name[i]
		if c != '_' && !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') && (i == 0 || c < '0' || c > '9') {
			return refuse("the name may only have letters, digits and '_', and no digit first")
		}
	}
	if name == "" {
		return refuse("there is no name")
	}
	return nil
}

// plainName refuses names that Parse would not read.
func plainName(name string) error {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r >= 0x7f || !isName(byte(r)) }) {
		return refuse("the name may only have letters, digits, '_', '-' and '.'")
	}
	return nil
}

// simple reports whether a value needs no quotes anywhere.
func simple(value string) bool {
	for i := range len(value) {
		if c := value[i]; !isName(c) && !strings.ContainsRune("/:@+,%^=", rune(c)) {
			return false
		}
	}
	return value != "" && value[0] != '='
}
