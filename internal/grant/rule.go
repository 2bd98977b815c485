package grant

import "time"

// Rule permits uses of one secret. A field that is empty does not limit, except that a rule without any field permits
// nothing. A use must satisfy all fields of one rule.
type Rule struct {
	// Tools are names of tools, without prefix; "shield" is the shield's proxy.
	Tools []string `json:"tools,omitempty"`
	// Hosts are names, "*.example.com" for every name below, addresses, or networks; each may end in ":port".
	Hosts []string `json:"hosts,omitempty"`
	// Methods are HTTP methods; Paths are globs in which * stands for one segment and ** for any number.
	Methods []string `json:"methods,omitempty"`
	Paths   []string `json:"paths,omitempty"`
	// In are the places where the secret may stand: "header:authorization", "query:key", "body", "path", "login".
	In []string `json:"in,omitempty"`
	// Commands are programs with the beginning of their arguments: "git push".
	Commands []string `json:"commands,omitempty"`
	// Max is how often the rule may be used in one conversation or run; 0 is without limit.
	Max int `json:"max,omitempty"`
	// Approve asks the person each time all the same.
	Approve bool `json:"approve,omitempty"`

	Expires time.Time `json:"expires,omitzero"`
	Since   time.Time `json:"since,omitzero"`
	By      string    `json:"by,omitempty"` // the person who allowed it
}

// Outcome is what the rules say about a use.
type Outcome int

// The outcomes. The zero Outcome denies.
const (
	Denied  Outcome = iota // a secret has rules, and none permits this use
	Ask                    // a secret has no rule yet, or its rule wants each use approved
	Allowed                // every secret has a rule that permits it
)

// Decision is an outcome and, unless it is Allowed, why: one line for a person, without a value.
type Decision struct {
	Outcome Outcome
	Reason  string
}
