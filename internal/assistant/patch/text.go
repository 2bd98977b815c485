package patch

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Section is a table at the end of a TOML file.
type Section struct {
	// Path are the parts of the table's name: bare keys.
	Path []string
	// Body are the lines below the header, with plain newlines.
	Body string
}

// Block is a block of lines between two lines that mark it, at the end of a file.
type Block struct {
	// Mark begins both lines that mark it; a comment in the language of the file.
	Mark  string
	Lines []string
}

// Call is a line of a shell script that must run before the rest; an empty file becomes a script.
type Call struct{ Line string }

// Whole is a file that is ours alone.
type Whole struct {
	Title   string
	Content string
}

var (
	_ Edit = Section{}
	_ Edit = Block{}
	_ Edit = Call{}
	_ Edit = Whole{}
)

// Name implements Edit.
func (s Section) Name() string { return strings.Join(s.Path, ".") }

// text is the section as it is written.
func (s Section) text() string { return "[" + s.Name() + "]\n" + s.Body }

// Has implements Edit.
func (s Section) Has(text []byte) (bool, error) {
	have := map[string]any{}
	if err := toml.Unmarshal(bytes.TrimPrefix(text, []byte(bom)), &have); err != nil {
		e := &SyntaxError{Format: "TOML", Line: 1, Column: 1}
		var where *toml.DecodeError
		if errors.As(err, &where) {
			e.Line, e.Column = where.Position()
		}
		return false, e
	}
	want := map[string]any{}
	if err := toml.Unmarshal([]byte(s.Body), &want); err != nil {
		return false, err
	}
	var at any = have
	for _, name := range s.Path {
		table, ok := at.(map[string]any)
		if !ok {
			return false, ErrTaken
		}
		if at, ok = table[name]; !ok {
			return false, nil
		}
	}
	if !includes(at, want) {
		return false, ErrTaken
	}
	return true, nil
}

// Add implements Edit.
func (s Section) Add(text []byte) ([]Splice, []string, error) {
	has, err := s.Has(text)
	if err != nil || has {
		return nil, nil, err
	}
	newline := newlineOf(text)
	gap := ending(text, newline)
	if len(text) > 0 {
		gap += newline
	}
	splices := []Splice{{Offset: len(text), Inserted: gap + withNewline(s.text(), newline)}}
	after, err := Apply(text, splices)
	if err != nil {
		return nil, nil, err
	}
	// An inline table, say, cannot be added to in this way.
	if has, err := s.Has(after); err != nil || !has {
		return nil, nil, ErrTaken
	}
	return splices, nil, nil
}

// Remove implements Edit.
func (s Section) Remove(text []byte, _ func(string) bool) ([]Splice, error) {
	has, err := s.Has(text)
	if err != nil && !errors.Is(err, ErrTaken) {
		return nil, err
	}
	if !has && err == nil {
		return nil, nil
	}
	newline := newlineOf(text)
	own := withNewline(s.text(), newline)
	at := lineIndex(text, own)
	if at < 0 || !endsTable(text[at+len(own):]) {
		return nil, ErrChanged
	}
	start := at
	if bytes.HasSuffix(text[:at], []byte(newline+newline)) {
		start -= len(newline) // the empty line that Add has put before it
	}
	return []Splice{{Offset: start, Removed: string(text[start : at+len(own)])}}, nil
}

// endsTable reports whether what follows a table adds nothing to it.
func endsTable(rest []byte) bool {
	for line := range bytes.Lines(rest) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' {
			return line[0] == '['
		}
	}
	return true
}

// lineIndex is where a text stands at the start of a line; -1 if nowhere.
func lineIndex(text []byte, own string) int {
	for from := 0; ; {
		at := bytes.Index(text[from:], []byte(own))
		if at < 0 {
			return -1
		}
		at += from
		if at == 0 || text[at-1] == '\n' {
			return at
		}
		from = at + 1
	}
}

// Name implements Edit.
func (b Block) Name() string { return strings.Join(b.Lines, " ") }

func (b Block) text() string {
	return b.Mark + " begin\n" + strings.Join(b.Lines, "\n") + "\n" + b.Mark + " end\n"
}

// Has implements Edit: the lines may stand there in any order and place, as long as nothing after them takes them back.
func (b Block) Has(text []byte) (bool, error) {
	var have []string
	for line := range strings.Lines(string(text)) {
		have = append(have, strings.TrimSpace(line))
	}
	for _, want := range b.Lines {
		if !slices.Contains(have, want) {
			return false, nil
		}
	}
	return true, nil
}

// Add implements Edit.
func (b Block) Add(text []byte) ([]Splice, []string, error) {
	has, err := b.Has(text)
	if err != nil || has {
		return nil, nil, err
	}
	splices, err := b.Remove(text, nil) // a block of an older version
	if err != nil {
		return nil, nil, err
	}
	rest, err := Apply(text, splices)
	if err != nil {
		return nil, nil, err
	}
	newline := newlineOf(text)
	return append(splices, Splice{Offset: len(rest), Inserted: ending(rest, newline) + withNewline(b.text(), newline)}), nil, nil
}

// Remove implements Edit. Lines that somebody has added within the block stay.
func (b Block) Remove(text []byte, _ func(string) bool) ([]Splice, error) {
	start := lineIndex(text, b.Mark+" begin")
	if start < 0 {
		return nil, nil
	}
	length := bytes.Index(text[start:], []byte(b.Mark+" end"))
	if length < 0 {
		return nil, ErrChanged
	}
	end := start + length + len(b.Mark+" end")
	for end < len(text) && (text[end] == '\r' || text[end] == '\n') {
		end++
		if text[end-1] == '\n' {
			break
		}
	}
	var kept strings.Builder
	for line := range strings.Lines(string(text[start:end])) {
		bare := strings.TrimSpace(line)
		if !slices.Contains(b.Lines, bare) && !strings.HasPrefix(bare, b.Mark) {
			kept.WriteString(line)
		}
	}
	return []Splice{{Offset: start, Removed: string(text[start:end]), Inserted: kept.String()}}, nil
}

// Name implements Edit.
func (c Call) Name() string { return c.Line }

// Has implements Edit.
func (c Call) Has(text []byte) (bool, error) {
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == c.Line {
			return true, nil
		}
	}
	return false, nil
}

// Add implements Edit.
func (c Call) Add(text []byte) ([]Splice, []string, error) {
	has, err := c.Has(text)
	if err != nil || has {
		return nil, nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return []Splice{{Removed: string(text), Inserted: "#!/bin/sh\n" + c.Line + "\n"}}, nil, nil
	}
	newline := newlineOf(text)
	first, _, more := bytes.Cut(text, []byte("\n"))
	if !bytes.HasPrefix(first, []byte("#!")) {
		return []Splice{{Inserted: c.Line + newline}}, nil, nil
	}
	if !isShell(string(first)) {
		return nil, nil, placeError(text, 0, "a script of another language than the shell: %w", ErrTaken)
	}
	if !more {
		return []Splice{{Offset: len(text), Inserted: newline + c.Line + newline}}, nil, nil
	}
	return []Splice{{Offset: len(first) + 1, Inserted: c.Line + newline}}, nil, nil
}

// isShell reports whether a script's first line names a shell.
func isShell(first string) bool {
	words := strings.Fields(strings.TrimPrefix(first, "#!"))
	for _, w := range words {
		name := w[strings.LastIndexByte(w, '/')+1:]
		if name == "env" || strings.HasPrefix(name, "-") {
			continue
		}
		return slices.Contains([]string{"sh", "bash", "dash", "zsh", "ksh", "ash"}, strings.TrimSuffix(name, ".exe"))
	}
	return false
}

// Remove implements Edit.
func (c Call) Remove(text []byte, _ func(string) bool) ([]Splice, error) {
	if string(bytes.TrimSpace(text)) == "#!/bin/sh\n"+c.Line {
		return []Splice{{Removed: string(text)}}, nil
	}
	at := lineIndex(text, c.Line)
	if at < 0 {
		return nil, nil
	}
	end := at + len(c.Line)
	rest := text[end:]
	if trimmed := bytes.TrimLeft(rest, "\r"); len(trimmed) > 0 && trimmed[0] == '\n' {
		end += len(rest) - len(trimmed) + 1
	} else if len(rest) > 0 {
		return nil, ErrChanged
	}
	return []Splice{{Offset: at, Removed: string(text[at:end])}}, nil
}

// Name implements Edit.
func (w Whole) Name() string { return w.Title }

// Has implements Edit.
func (w Whole) Has(text []byte) (bool, error) {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return false, nil
	case string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))) == w.Content:
		return true, nil
	}
	return false, ErrTaken
}

// Add implements Edit.
func (w Whole) Add(text []byte) ([]Splice, []string, error) {
	has, err := w.Has(text)
	if err != nil || has {
		return nil, nil, err
	}
	return []Splice{{Removed: string(text), Inserted: w.Content}}, nil, nil
}

// Remove implements Edit.
func (w Whole) Remove(text []byte, _ func(string) bool) ([]Splice, error) {
	has, err := w.Has(text)
	if errors.Is(err, ErrTaken) {
		return nil, ErrChanged
	}
	if err != nil || !has {
		return nil, err
	}
	return []Splice{{Removed: string(text)}}, nil
}
