package grant

import (
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

// Asker is who wants to use secrets: a program on behalf of a person, in one conversation or run.
type Asker struct {
	Person  string           `json:"person"`            // as the audit log names them
	Client  string           `json:"client"`            // the program, as it names itself
	Version string           `json:"version,omitempty"` // of the program
	Face    audit.ClientKind `json:"face"`              // audit.MCP for an assistant, audit.CLI for a shielded program
	PID     int              `json:"pid,omitempty"`
	Session string           `json:"session,omitempty"` // as Store.Begin returned it
}

// String is the chain from the person to the conversation.
func (a Asker) String() string {
	client := Visible(a.Client)
	if a.Version != "" {
		client += " " + Visible(a.Version)
	}
	return fmt.Sprintf("%s → %s → session %s", Visible(a.Person), client, a.Session)
}

// entry begins an audit entry of what the asker did. The actor is the assistant that acts for the person, and has the
// person's name; the client is the program; the request is the session.
func (a Asker) entry(action string, outcome audit.Outcome) audit.Entry {
	return audit.Entry{
		Actor:  audit.Actor{Kind: audit.Assistant, ID: a.Person, Name: a.Person},
		Client: audit.Client{Kind: a.Face, Name: a.Client, Version: a.Version, PID: a.PID},
		Action: action, Outcome: outcome, Request: a.Session,
	}
}
