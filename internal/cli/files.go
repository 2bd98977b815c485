package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/dotenv"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/workspace"
)

// fileChange is a file that is to be written.
type fileChange struct {
	path    string
	content []byte
}

// write replaces the file in one step: there is the old one or the new one, never a part.
func (c fileChange) write() error { return writeFile(c.path, c.content, 0o644) }

// writeFile writes beside the file and renames. An existing file keeps its mode.
func writeFile(path string, content []byte, mode os.FileMode) error {
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// importFiles works out which files an import writes, shows how an existing .env.zvault would change, and asks.
func (a *app) importFiles(in imported) ([]fileChange, error) {
	content, err := references(in)
	if err != nil {
		return nil, err
	}
	target := filepath.Join(filepath.Dir(in.path), ReferencesFile)
	files, err := a.replace(target, content)
	if err != nil {
		return nil, err
	}
	toml := filepath.Join(in.root, workspace.FileName)
	if _, err := os.Stat(toml); errors.Is(err, fs.ErrNotExist) {
		files = append(files, fileChange{toml, workspace.New(in.env.Project, in.env.Slug)})
	}
	ignore, err := ignoring(in)
	return append(files, ignore...), err
}

// replace shows the lines that change in an existing file, which are references and no values, and asks.
func (a *app) replace(path string, content []byte) ([]fileChange, error) {
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []fileChange{{path, content}}, nil
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", path, err)
	case bytes.Equal(old, content):
		return nil, nil
	}
	_, _ = fmt.Fprintf(a.err, "%s changes:\n%s", a.shorten(path), lineDiff(old, content))
	ok, err := a.confirm("overwrite " + a.shorten(path) + "?")
	if err == nil && !ok {
		err = errors.New("nothing was changed")
	}
	return []fileChange{{path, content}}, err
}

// lineDiff lists the lines that only one of two files has.
func lineDiff(before, after []byte) string {
	var b strings.Builder
	only := func(sign string, in, notIn []byte) {
		others := map[string]int{}
		for line := range bytes.Lines(notIn) {
			others[string(bytes.TrimRight(line, "\r\n"))]++
		}
		for line := range bytes.Lines(in) {
			text := string(bytes.TrimRight(line, "\r\n"))
			if others[text] > 0 {
				others[text]--
				continue
			}
			b.WriteString("  " + sign + " " + text + "\n")
		}
	}
	only("-", before, after)
	only("+", after, before)
	return b.String()
}

// references makes the .env.zvault: the file with a reference in the place of each value. What stands in comments is kept, but
// for what may be secret there: any of the values, and the values of assignments that are commented out.
func references(in imported) ([]byte, error) {
	var secrets []redact.Secret
	for _, e := range in.file.Entries() {
		secrets = append(secrets, redact.Secret{Name: e.Name, Value: e.Value})
	}
	m, err := redact.New(secrets)
	if err != nil {
		return nil, err
	}
	text := func(b []byte) []byte { return m.Bytes(withoutOldValues(b)) }
	return in.file.Rewrite(func(e dotenv.Entry) string { return ref.Ref{Project: in.env.Project, Key: e.Name}.String() }, text), nil
}

// withoutOldValues masks the values of assignments that are commented out: they are often former keys.
func withoutOldValues(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		body := bytes.TrimRight(line, "\r\n")
		if start, ok := dotenv.IsAssignment(bytes.TrimLeft(body, " \t")); ok && bytes.HasPrefix(bytes.TrimLeft(body, " \t"), []byte("#")) {
			indent := len(body) - len(bytes.TrimLeft(body, " \t"))
			out = append(out, body[:indent+start]...)
			out = append(out, redactedOld...)
			out = append(out, line[len(body):]...)
			continue
		}
		out = append(out, line...)
	}
	return out
}

const redactedOld = "(removed by zvault)"

// ignoring adds the file to .gitignore in its directory, if it is not there yet.
func ignoring(in imported) ([]fileChange, error) {
	path := filepath.Join(filepath.Dir(in.path), ".gitignore")
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	name := filepath.Base(in.path)
	for line := range bytes.Lines(old) {
		switch strings.TrimSpace(string(line)) {
		case name, "/" + name:
			return nil, nil
		}
	}
	if len(old) > 0 && !bytes.HasSuffix(old, []byte("\n")) {
		old = append(old, '\n')
	}
	return []fileChange{{path, append(old, name+"\n"...)}}, nil
}
