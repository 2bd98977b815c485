package grant

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Rule permits uses of one secret. A field that is empty does not limit, except that a rule without any field permits
// nothing. A use must satisfy all fields of one rule.
type Rule struct {
	// Tools are names of tools, without prefix; "shield" is the shield's proxy.
	Tools []string `json:"tools,omitempty"`
	// Envs are slugs of environments of the project.
	Envs []string `json:"envs,omitempty"`
	// Hosts are names, "*.example.com" for every name below, addresses, or networks; each may end in ":port". A network
	// holds addresses only: what a name resolves to is not looked at.
	Hosts []string `json:"hosts,omitempty"`
	// Methods are HTTP methods; Paths are globs in which * stands for one segment, or a part of one, and ** for any number.
	Methods []string `json:"methods,omitempty"`
	Paths   []string `json:"paths,omitempty"`
	// In are the places where the secret may stand: "header:authorization", "query:key", "body", "path", "login", "env:NAME".
	In []string `json:"in,omitempty"`
	// Commands are programs with the beginning of their arguments, in words as a shell has them: "git push".
	Commands []string `json:"commands,omitempty"`
	// Exact turns the rule into one kind of use: a field that is empty means that the use has none, and a command is
	// the whole of it. Rules that an answer made are exact.
	Exact bool `json:"exact,omitempty"`
	// Max is how often the rule may be used in one conversation or run; 0 is without limit.
	Max int `json:"max,omitempty"`
	// Approve asks the person each time all the same.
	Approve bool `json:"approve,omitempty"`

	Expires time.Time `json:"expires,omitzero"`
	Since   time.Time `json:"since,omitzero"`
	By      string    `json:"by,omitempty"` // the person who allowed it

	// Request is the id of the request whose answer made the rule, and Client and Session are who asked: the rule is for
	// that client alone. All are empty for a rule that a person wrote. Only written rules close a secret to every other use.
	Request string `json:"request,omitempty"`
	Client  string `json:"client,omitempty"`
	Session string `json:"session,omitempty"`
}

// ID names a rule among those of its secret. A rule that differs only in when it ends and who made it has the same ID.
func (r Rule) ID() string {
	r.Expires, r.Since, r.By, r.Request, r.Session = time.Time{}, time.Time{}, "", "", ""
	b, err := json.Marshal(r)
	if err != nil {
		panic("encoding a struct of strings: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// written reports whether a person wrote the rule, not an answer.
func (r Rule) written() bool { return r.Request == "" }

// live reports whether the rule has not ended.
func (r Rule) live(now time.Time) bool { return r.Expires.IsZero() || now.Before(r.Expires) }

// Outcome is what the rules say about a use.
type Outcome int

// The outcomes. The zero Outcome denies.
const (
	Denied  Outcome = iota // a secret has rules that a person wrote, and no rule permits this use
	Ask                    // a secret has no such rule yet, or its rule wants each use approved
	Allowed                // every secret has a rule that permits it
)

// Decision is an outcome and, unless it is Allowed, why: one line for a person, without a value.
type Decision struct {
	Outcome Outcome
	Reason  string
}
