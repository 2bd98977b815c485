// Package shellread takes a POSIX shell or bash command line apart, for a look at what it would run: every simple command in it, also
// those in pipes, lists, subshells, substitutions, functions and loops, with quotes and escapes removed and with variables that the
// line itself sets put in. It runs nothing and knows no files.
//
// It is made to miss nothing rather than to be exact: structure (if, for, case) is passed over, and a text that is no command in the end
// may be listed as one.
package shellread

import (
	"errors"
	"strings"
)

// Unknown stands in a word for what only the shell will know.
const Unknown = '\x00'

// ErrUnreadable is returned for a line that is not whole, or is nested too deeply to be read.
var ErrUnreadable = errors.New("the command cannot be read")

// Limits: of nesting and of bytes.
const (
	maxDepth = 40
	maxBytes = 1 << 20
)

// Word is one argument.
type Word struct {
	Text string
	// Vars are the variables whose values go into it.
	Vars []string
}

// Redirect is a redirection, such as "<" and ">>", and its file.
type Redirect struct {
	Op     string
	Target Word
}

// Command is a simple command.
type Command struct {
	// Assigned are the assignments before the words, as NAME=value.
	Assigned  []Word
	Words     []Word
	Redirects []Redirect
	// Stdin is what a here-document or here-string gives it.
	Stdin string
	// Pipeline is the same number for all commands of a pipeline; Piped says that another one follows in it.
	Pipeline int
	Piped    bool
}

// Read lists the simple commands of a line. vars are variables whose values are known; it may be nil.
func Read(line string, vars map[string]string) ([]Command, error) {
	if len(line) > maxBytes {
		return nil, ErrUnreadable
	}
	r := &reader{text: strings.ReplaceAll(line, "\\\n", ""), vars: map[string]string{}, out: &[]Command{}, pipelines: new(int)}
	for k, v := range vars {
		r.vars[k] = v
	}
	if err := r.commands(0); err != nil {
		return nil, err
	}
	return *r.out, nil
}

// reader reads one text. Readers of nested texts share vars, out and pipelines.
type reader struct {
	text      string
	at        int
	depth     int
	vars      map[string]string
	out       *[]Command
	pipelines *int
}

// document is a here-document whose body is still to come.
type document struct {
	end     string
	strip   bool // tabs before its lines
	literal bool
	command int
}

// nested returns a reader of a text within this one.
func (r *reader) nested(text string) (*reader, error) {
	if r.depth >= maxDepth {
		return nil, ErrUnreadable
	}
	return &reader{text: text, depth: r.depth + 1, vars: r.vars, out: r.out, pipelines: r.pipelines}, nil
}

func (r *reader) done() bool { return r.at >= len(r.text) }

// has reports whether the text goes on with s.
func (r *reader) has(s string) bool { return strings.HasPrefix(r.text[r.at:], s) }

// sequence is a list of commands while it is read.
type sequence struct {
	r        *reader
	c        Command
	pipeline int
	own      []*document // of this command
	waiting  []*document // of this line
}

// newPipeline begins another pipeline.
func (q *sequence) newPipeline() {
	*q.r.pipelines++
	q.pipeline = *q.r.pipelines
}

// flush ends the command.
func (q *sequence) flush(piped bool) {
	if len(q.c.Words)+len(q.c.Assigned)+len(q.c.Redirects)+len(q.own) > 0 || q.c.Stdin != "" {
		for _, d := range q.own {
			d.command = len(*q.r.out)
		}
		q.c.Pipeline, q.c.Piped = q.pipeline, piped
		*q.r.out = append(*q.r.out, q.c)
		q.r.remember(q.c)
	}
	q.c, q.own = Command{}, nil
	if !piped {
		q.newPipeline()
	}
}

// commands reads until the byte that ends it, 0 for the end of the text.
func (r *reader) commands(end byte) error {
	if r.depth++; r.depth > maxDepth {
		return ErrUnreadable
	}
	defer func() { r.depth-- }()
	q := &sequence{r: r}
	q.newPipeline()
	for !r.done() {
		if end != 0 && r.text[r.at] == end {
			r.at++
			q.flush(false)
			return nil
		}
		if err := q.next(); err != nil {
			return err
		}
	}
	q.flush(false)
	if end != 0 || len(q.waiting) > 0 {
		return ErrUnreadable
	}
	return nil
}

// next reads one token.
func (q *sequence) next() error {
	r := q.r
	switch b := r.text[r.at]; {
	case b == ' ' || b == '\t' || b == '\r':
		r.at++
	case b == '\n':
		r.at++
		q.flush(false)
		waiting := q.waiting
		q.waiting = nil
		return r.bodies(waiting)
	case b == '#':
		r.comment()
	case b == ';', b == ')', b == '&' && !r.has("&>"):
		r.at++
		q.flush(false)
	case b == '|':
		piped := !r.has("||")
		for !r.done() && (r.text[r.at] == '|' || r.text[r.at] == '&') {
			r.at++
		}
		q.flush(piped)
	case b == '(':
		r.at++
		q.flush(false)
		return r.commands(')')
	case b == '<' && !r.has("<("), b == '>' && !r.has(">("), b == '&':
		d, err := r.redirect(&q.c)
		if d != nil {
			q.own, q.waiting = append(q.own, d), append(q.waiting, d)
		}
		return err
	default:
		return r.argument(&q.c)
	}
	return nil
}

func (r *reader) comment() {
	for !r.done() && r.text[r.at] != '\n' {
		r.at++
	}
}

// argument reads a word into a command.
func (r *reader) argument(c *Command) error {
	start := r.at
	w, err := r.word()
	if err != nil {
		return err
	}
	raw := r.text[start:r.at]
	switch {
	case len(c.Words) == 0 && reserved(raw):
	case len(c.Words) == 0 && isAssignment(raw):
		c.Assigned = append(c.Assigned, w)
	case isNumber(raw) && !r.done() && (r.text[r.at] == '<' || r.text[r.at] == '>'):
		// The number of a file, before a redirection.
	default:
		c.Words = append(c.Words, w)
	}
	return nil
}

// reserved reports whether an unquoted word belongs to the structure of a script and a command follows it.
func reserved(raw string) bool {
	switch raw {
	case "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "esac", "time", "!", "{", "}", "coproc", "-p":
		return true
	}
	return false
}

func isAssignment(raw string) bool {
	name, _, ok := strings.Cut(raw, "=")
	return ok && IsName(strings.TrimSuffix(name, "+"))
}

// IsName reports whether s can be the name of a variable.
func IsName(s string) bool {
	for i := range len(s) {
		b := s[i]
		letter := b == '_' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
		if !letter && (i == 0 || b < '0' || b > '9') {
			return false
		}
	}
	return s != ""
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// remember takes note of the variables that a command sets.
func (r *reader) remember(c Command) {
	if len(c.Words) == 0 {
		r.set(c.Assigned)
		return
	}
	switch c.Words[0].Text {
	case "export", "declare", "typeset", "local", "readonly":
		r.set(c.Words[1:])
	case "for", "read", "select":
		for _, w := range c.Words[1:] {
			if w.Text == "in" {
				return
			}
			delete(r.vars, w.Text)
		}
	}
}

func (r *reader) set(assigned []Word) {
	for _, w := range assigned {
		name, value, ok := strings.Cut(w.Text, "=")
		if base, more := strings.CutSuffix(name, "+"); more {
			name, value = base, r.vars[base]+value
		}
		if ok && IsName(name) && len(value) < 4096 {
			r.vars[name] = value
		}
	}
}
