package dotenv

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nodeLine tries the quotings that dotenv has, plainest first, and takes the first that reads back as the value.
func nodeLine(name, value string) (string, error) {
	if err := plainName(name); err != nil {
		return "", err
	}
	if name == "export" {
		return "", refuse("the reader takes the name for the word export")
	}
	escaped := strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(value)
	var forms []string
	if simple(value) || value == "" {
		forms = append(forms, value)
	}
	forms = append(forms, "'"+value+"'", `"`+value+`"`, "`"+value+"`", `"`+escaped+`"`, value)
	for _, form := range forms {
		line := name + "=" + form + "\n"
		if readsBack(line, name, value) {
			return line, nil
		}
	}
	return "", refuse("the value mixes quotes, or backslashes and line ends, in a way that this format has no quoting for")
}

// neighbours are lines that, behind a quote left open or a backslash before a closing one, would be taken for its end.
var neighbours = []string{"B_='\"`'\nC_=\"`'\"\n", "B_=' #'\n", "B_=\" #\"\n", "B_=` #`\n", "B_=x\"`'\n", "B_=x'`\"\n", "B_=x'\"`\n"}

// readsBack reports whether a line means exactly one assignment of the value, also with others below and above.
func readsBack(line, name, value string) bool {
	for _, below := range neighbours {
		f, problems := Parse([]byte("A_=1\n" + line + below))
		entries := f.Entries()
		if len(problems) > 0 || len(entries) != 2+strings.Count(below, "\n") || entries[1].Name != name ||
			string(entries[1].Value.Reveal()) != value || entries[2].Name != "B_" {
			return false
		}
	}
	return true
}

// checkWhole reads back all that was written, because the reader goes by patterns that can reach over lines: the variable that
// it would read otherwise is refused.
func checkWhole(out []byte, variables []Variable) error {
	f, problems := Parse(out)
	entries := f.Entries()
	for i, v := range variables {
		last := i == len(variables)-1
		if i >= len(entries) || last && (len(problems) > 0 || len(entries) > len(variables)) || entries[i].Name != v.Name || !entries[i].Value.Equal(v.Value) {
			return fmt.Errorf("%s as %s: %w", shownName(v.Name), Node, refuse("beside the other values the reader would take it for something else"))
		}
	}
	return nil
}

// pythonLine: python-dotenv expands ${NAME} even between single quotes, and has no way to write it as text. It takes a quote
// behind a backslash for text even if another backslash stands before that, so nothing between quotes can end in one: the
// value would go on to a quote in a line below.
func pythonLine(name, value string) (string, error) {
	if err := plainName(name); err != nil {
		return "", err
	}
	switch {
	case name == "export":
		return "", refuse("the reader takes the name for the word export")
	case strings.Contains(value, "${"):
		return "", refuse("the reader would expand the ${ in the value")
	case !utf8.ValidString(value):
		return "", refuse("the value is not UTF-8")
	case simple(value) || value == "":
		return name + "=" + value + "\n", nil
	case strings.HasSuffix(value, `\`):
		if !pythonBare(value) {
			return "", refuse("the value ends in a backslash and needs quotes, and the reader would not see the closing one")
		}
		return name + "=" + value + "\n", nil
	case strings.ContainsRune(value, '\r'):
		return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", `\r`).Replace(value) + "\"\n", nil
	}
	return name + "='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'\n", nil
}

// pythonBare reports whether python-dotenv reads a value that does not end in white space as it stands, without quotes: it is one
// line, no quote opens it, and no white space is at its start or before a '#'.
func pythonBare(value string) bool {
	blank := true
	for i, r := range value {
		if r == '\n' || r == '\r' || blank && r == '#' || i == 0 && (r == '\'' || r == '"') {
			return false
		}
		blank = r <= ' ' || unicode.IsSpace(r) // Python counts the separators among the control characters as well
		if i == 0 && blank {
			return false
		}
	}
	return true
}

// dockerMax is the longest line that docker reads.
const dockerMax = 64<<10 - 1

// dockerLine: docker takes everything behind the '=' as it stands, quotes and all.
func dockerLine(name, value string) (string, error) {
	if err := plainName(name); err != nil {
		return "", err
	}
	switch {
	case strings.ContainsAny(value, "\n\r"):
		return "", refuse("the value has a line end, and the format no quoting")
	case !utf8.ValidString(value):
		return "", refuse("the value is not UTF-8")
	case len(name)+1+len(value) > dockerMax:
		return "", refuse("the line is longer than %d bytes", dockerMax)
	}
	return name + "=" + value + "\n", nil
}

// composeLine: between single quotes compose takes text as it stands; between double quotes it expands and knows escapes.
func composeLine(name, value string) (string, error) {
	if err := plainName(name); err != nil {
		return "", err
	}
	switch {
	case name == "export":
		return "", refuse("the reader takes the name for the word export")
	case !utf8.ValidString(value):
		return "", refuse("the value is not UTF-8")
	case simple(value) || value == "":
		return name + "=" + value + "\n", nil
	case !strings.ContainsAny(value, `'\`+"\r"):
		return name + "='" + value + "'\n", nil
	}
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "\n", `\n`, "\r", `\r`).Replace(value) + "\"\n", nil
}

// shellLine: between single quotes a shell takes everything as it stands.
func shellLine(name, value string) (string, error) {
	if err := identifier(name); err != nil {
		return "", err
	}
	if strings.IndexByte(value, 0) >= 0 {
		return "", refuse("the value has a NUL")
	}
	return "export " + name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'\n", nil
}

// systemdLine follows systemd.exec(5): between double quotes a backslash takes the special meaning from these characters.
func systemdLine(name, value string) (string, error) {
	if err := identifier(name); err != nil {
		return "", err
	}
	if !utf8.ValidString(value) {
		return "", refuse("the value is not UTF-8")
	}
	for _, r := range value {
		if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
			return "", refuse("the value has a control character")
		}
	}
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(value) + "\"\n", nil
}

// powerShellLine: PowerShell takes typographic single quotes for quotes as well; each is written twice to stand for itself.
func powerShellLine(name, value string) (string, error) {
	if err := identifier(name); err != nil {
		return "", err
	}
	if !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
		return "", refuse("the value is not text")
	}
	quoted := strings.NewReplacer("'", "''", "\u2018", "\u2018\u2018", "\u2019", "\u2019\u2019", "\u201a", "\u201a\u201a", "\u201b", "\u201b\u201b").Replace(value)
	return "$env:" + name + " = '" + quoted + "'\n", nil
}

// githubLine frames the value with a random delimiter, so that it cannot end the frame itself.
func githubLine(name, value string) (string, error) {
	if err := identifier(name); err != nil {
		return "", err
	}
	if strings.ContainsRune(value, '\r') || !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
		return "", refuse("the value has a carriage return or is not text; the reader would change it")
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("making a delimiter: %w", err)
	}
	delimiter := "zvault_" + hex.EncodeToString(random)
	return name + "<<" + delimiter + "\n" + value + "\n" + delimiter + "\n", nil
}
