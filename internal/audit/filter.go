package audit

import (
	"slices"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// Filter says which entries Query yields: those to which all fields that are set apply.
type Filter struct {
	Since       time.Time // not before
	Until       time.Time // before
	Actor       string    // id or name
	Action      string    // what the action begins with: "secret." or "secret.reveal"
	Project     string
	Environment string
	Key         string // among the keys
	Outcome     Outcome
	Limit       int  // at most so many entries; 0: all
	Newest      bool // from the last to the first
}

// matches reports whether the filter lets e through.
func (f *Filter) matches(e *Entry) bool {
	switch {
	case !f.Since.IsZero() && e.Time.Before(f.Since), !f.Until.IsZero() && !e.Time.Before(f.Until),
		f.Actor != "" && f.Actor != e.Actor.ID && f.Actor != e.Actor.Name,
		!strings.HasPrefix(e.Action, f.Action),
		f.Project != "" && f.Project != e.Project,
		f.Environment != "" && f.Environment != e.Environment,
		f.Outcome != "" && f.Outcome != e.Outcome:
		return false
	}
	return f.Key == "" || slices.Contains(e.Keys, f.Key)
}

// words returns what a line must contain, as it is written there, for the filter to let its entry through: most lines
// need not be parsed.
func (f *Filter) words() (words []string) {
	for _, s := range []string{f.Key, f.Actor, f.Project, f.Environment} {
		if s != "" {
			words = append(words, record.Quote(s))
		}
	}
	if f.Action != "" {
		words = append(words, `"action":`+strings.TrimSuffix(record.Quote(f.Action), `"`))
	}
	if f.Outcome != "" {
		words = append(words, `"outcome":`+record.Quote(string(f.Outcome)))
	}
	return words
}
