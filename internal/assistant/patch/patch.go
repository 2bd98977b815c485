// Package patch adds something to a settings file that belongs to somebody else, and takes it out again, without touching a byte of
// the rest: comments, order, indentation, line ends and trailing commas stay as they are.
//
// An [Edit] is one wish. [Member] and [Element] are for JSON with comments, [Section] for TOML, [Block] for files of lines, [Call] for
// shell scripts, [Whole] for a file that is ours alone. Every change is a list of [Splice]s, which [Revert] undoes exactly where the
// file is still as it was left; elsewhere [Edit.Remove] takes out what is still there as it was put in.
//
// A file that does not parse is a [*SyntaxError] with its place and never with its text, which may be a secret.
package patch

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

var (
	// ErrTaken is returned for a place in the file that holds something else.
	ErrTaken = errors.New("there is something else already")
	// ErrChanged is returned for something of ours that was changed since.
	ErrChanged = errors.New("it was changed since, and is left alone")
)

// SyntaxError is a place in a file that cannot be read. Line and Column count from 1.
type SyntaxError struct {
	Format       string
	Line, Column int
}

// Error names the place.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: this is not %s", e.Line, e.Column, e.Format)
}

// placeError is a wish that the file's structure does not permit.
func placeError(text []byte, offset int, format string, args ...any) error {
	line, column := position(text, offset)
	return fmt.Errorf("line %d, column %d: %w", line, column, fmt.Errorf(format, args...))
}

// position counts lines and columns from 1.
func position(text []byte, offset int) (line, column int) {
	before := text[:offset]
	return 1 + bytes.Count(before, []byte("\n")), offset - bytes.LastIndexByte(before, '\n')
}

// Edit is one thing that a file shall hold.
type Edit interface {
	// Name says in a few words what it is.
	Name() string
	// Has reports whether the file holds it. It fails for a file that does not parse and with ErrTaken.
	Has(text []byte) (bool, error)
	// Add returns what to change for the file to hold it; nothing if it does. made lists containers that are added for it.
	Add(text []byte) (splices []Splice, made []string, err error)
	// Remove returns what to change for the file not to hold it; nothing if it does not. Containers that it leaves empty go too if
	// empty reports true for them. ErrChanged means that somebody has edited it.
	Remove(text []byte, empty func(container string) bool) ([]Splice, error)
}

// Splice replaces Removed by Inserted at a byte offset of the text as it is when the splices before it are done.
type Splice struct {
	Offset   int    `json:"offset"`
	Removed  string `json:"removed,omitempty"`
	Inserted string `json:"inserted,omitempty"`
}

// Apply does splices in their order.
func Apply(text []byte, splices []Splice) ([]byte, error) {
	out := bytes.Clone(text)
	for _, s := range splices {
		end := s.Offset + len(s.Removed)
		if s.Offset < 0 || end > len(out) || string(out[s.Offset:end]) != s.Removed {
			return nil, fmt.Errorf("changing byte %d: the file is not as expected", s.Offset)
		}
		out = slices.Concat(out[:s.Offset], []byte(s.Inserted), out[end:])
	}
	return out, nil
}

// Revert returns the splices that undo others.
func Revert(splices []Splice) []Splice {
	out := make([]Splice, 0, len(splices))
	for _, s := range slices.Backward(splices) {
		out = append(out, Splice{Offset: s.Offset, Removed: s.Inserted, Inserted: s.Removed})
	}
	return out
}

// newlineOf is how a text ends its lines.
func newlineOf(text []byte) string {
	if bytes.Contains(text, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// withNewline gives text that has plain newlines those of another.
func withNewline(s, newline string) string { return strings.ReplaceAll(s, "\n", newline) }

// ending is what must stand before something new at the end of a file.
func ending(text []byte, newline string) string {
	if len(text) == 0 || text[len(text)-1] == '\n' {
		return ""
	}
	return newline
}
