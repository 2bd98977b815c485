package page

import (
	"context"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// Field is one secret whose value a person shall type.
type Field struct {
	Project, Env, Name string
	Why                string // what the assistant says that it is for
	Exists             bool   // there is a value, which a new one takes the place of
	// Store puts the value into the vault. It is called at most once with success; an error is shown to the person, and
	// must hold no value.
	Store func(ctx context.Context, v secret.Value) error
}

// Entry is a page for a value. It is for one secret and takes one value.
type Entry struct {
	URL    string
	done   chan struct{}
	server *Server
	id     [32]byte
}

// Enter makes a page for a value.
func (s *Server) Enter(f Field) (*Entry, error) {
	e := &Entry{done: make(chan struct{}), server: s}
	var err error
	e.URL, e.id, err = s.add(&entry{field: f, done: e.done}, s.Clock().Add(Life))
	return e, err
}

// Wait returns nil once the value is in the vault, or the context's error; then the address works no longer.
func (e *Entry) Wait(ctx context.Context) error {
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
		e.server.drop(e.id)
		return ctx.Err()
	}
}

// entry is the page of one secret.
type entry struct {
	field Field
	done  chan struct{}
}

var _ view = (*entry)(nil)

func (e *entry) open(context.Context) {}

func (e *entry) show(form, wrong string) body {
	f := e.field
	b := newBody("Enter the value of " + grant.Visible(f.Name))
	b.wrong(wrong)
	b.p("What you type goes into your vault on this machine. The assistant does not see it.")
	facts := [][2]string{{"secret", grant.Visible(f.Name)}, {"where", grant.Visible(f.Project + "/" + f.Env)}}
	if f.Why != "" {
		facts = append(facts, [2]string{"the assistant says", grant.Visible(f.Why)})
	}
	b.facts(facts)
	if f.Exists {
		b.p("There is a value already. The new one takes its place; the old one stays in the secret's history.")
	}
	end := b.form(form)
	defer end()
	b.raw(`<label for="value">Value</label><textarea id="value" name="value" required autofocus spellcheck="false" autocomplete="off" autocapitalize="off"></textarea>`)
	b.button("do", "store", "Put it into the vault")
	return b
}

func (e *entry) act(ctx context.Context, form func(string) string) (result body, wrong string, done bool) {
	// A browser sends every line's end as CR LF (HTML, form submission); one at the very end is from pasting.
	value := strings.TrimSuffix(strings.ReplaceAll(form("value"), "\r\n", "\n"), "\n")
	if value == "" {
		return body{}, "The value is empty.", false
	}
	if err := e.field.Store(ctx, secret.Of(value)); err != nil {
		return body{}, "The value was not stored: " + err.Error(), false
	}
	close(e.done)
	return notice("Done", grant.Visible(e.field.Name)+" is in the vault. You can close this page."), "", true
}
