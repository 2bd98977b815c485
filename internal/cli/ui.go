package cli

// The rules of what is printed, and where. These few functions are the only way out.
//
//   - stdout carries data and nothing else: what another program may read. With --json it is one JSON document.
//   - stderr carries everything for people: progress, warnings, errors. Errors start with "zvault: ", are lower case,
//     one line, without a full stop; what to do about it follows in a line that starts with "hint: ".
//   - Prompts go to the terminal, never to stdout, and only when there is a terminal.
//   - Colour only on a terminal, and not when NO_COLOR is set.
//   - A secret value is printed only by commands whose purpose it is: secret get, export, and what run's child prints.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"
)

// streams are the ends that a command talks through.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// terminal is a stream that may be a terminal.
type terminal interface{ Fd() uintptr }

// isTerminal reports whether a stream is a terminal.
func isTerminal(s any) bool {
	f, ok := s.(terminal)
	return ok && term.IsTerminal(int(f.Fd()))
}

// data writes to stdout.
func (a *app) data(format string, args ...any) error {
	_, err := fmt.Fprintf(a.out, format, args...)
	return writing(err)
}

// raw writes bytes to stdout as they are.
func (a *app) raw(b []byte) error {
	_, err := a.out.Write(b)
	return writing(err)
}

// document writes v to stdout as indented JSON.
func (a *app) document(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return writing(e.Encode(v))
}

// nonNil makes an empty list print as [] in JSON.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func writing(err error) error {
	if err != nil {
		return fmt.Errorf("writing output: %w", err)
	}
	return nil
}

// table writes rows to stdout in columns, under a header if that is not empty.
func (a *app) table(header []string, rows [][]string) error {
	w := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	if len(header) > 0 && len(rows) > 0 {
		rows = append([][]string{header}, rows...)
	}
	for _, r := range rows {
		if _, err := fmt.Fprintln(w, strings.TrimRight(strings.Join(r, "\t"), "\t ")); err != nil {
			return writing(err)
		}
	}
	return writing(w.Flush())
}

// say writes a line for people to stderr. That it cannot be written changes nothing about what was done.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		_, _ = fmt.Fprintf(a.err, format+"\n", args...)
	}
}

// warn writes a warning to stderr.
func (a *app) warn(format string, args ...any) {
	_, _ = fmt.Fprintf(a.err, "zvault: warning: "+format+"\n", args...)
}

// fail writes an error and its hint to stderr.
func (a *app) fail(err error) {
	_, _ = fmt.Fprintf(a.err, "zvault: %s\n", oneLine(err.Error()))
	if hint := hintOf(err); hint != "" {
		_, _ = fmt.Fprintf(a.err, "hint: %s\n", hint)
	}
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// hinted is an error with what to do about it.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// withHint adds what to do about an error.
func withHint(err error, format string, args ...any) error {
	return &hinted{error: err, hint: fmt.Sprintf(format, args...)}
}

func hintOf(err error) string {
	var h *hinted
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}

// errNoTerminal is returned by what must ask a person when none is there.
var errNoTerminal = errors.New("there is no terminal to ask on")

// confirm asks a yes-or-no question on the terminal; the flag --yes answers it.
func (a *app) confirm(question string) (bool, error) {
	if a.yes {
		return true, nil
	}
	if !isTerminal(a.in) || !isTerminal(a.err) {
		return false, withHint(fmt.Errorf("%s: %w", strings.TrimSuffix(question, "?"), errNoTerminal), "say --yes to go ahead")
	}
	if _, err := fmt.Fprintf(a.err, "%s [y/N] ", question); err != nil {
		return false, writing(err)
	}
	line, err := readLine(a.in)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	answer := strings.ToLower(strings.TrimSpace(string(line)))
	return answer == "y" || answer == "yes", nil
}

// askSecret asks for a value on the terminal without showing it.
func (a *app) askSecret(prompt string) ([]byte, error) {
	f, ok := a.in.(terminal)
	if !ok || !isTerminal(a.in) || !isTerminal(a.err) {
		return nil, errNoTerminal
	}
	if _, err := fmt.Fprintf(a.err, "%s: ", prompt); err != nil {
		return nil, writing(err)
	}
	value, err := term.ReadPassword(int(f.Fd()))
	_, _ = fmt.Fprintln(a.err)
	if err != nil {
		return nil, fmt.Errorf("reading from the terminal: %w", err)
	}
	return value, nil
}

// readLine reads up to a newline, byte by byte so that nothing behind it is taken.
func readLine(r io.Reader) ([]byte, error) {
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := r.Read(one)
		if n == 1 && one[0] == '\n' {
			return line, nil
		}
		line = append(line, one[:n]...)
		if err != nil {
			return line, err
		}
	}
}
