// Package policy is the gate that says what a token may do: Vault's ACL policies.
//
// [Parse] reads the text of one policy, [Policy.Expand] fills in who asks, [Compile] merges the policies of a token into an
// [ACL], and [ACL.Check] answers for one request. Compile once for each set of policies; Check is the hot path: it allocates
// nothing and takes the same time for three rules as for three thousand. [Explain] answers the same question slowly and says
// why.
//
// The language and the order of precedence are those of Vault and OpenBao, so that their policies mean the same here. Where
// they ignore a mistake, such as an attribute that is set twice, Parse refuses it.
package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Names of policies with a meaning of their own.
const (
	RootName     = "root"              // everything, if it is the only policy
	DefaultName  = "default"           // what most tokens have; DefaultText
	WrappingName = "response-wrapping" // what a wrapping token has; WrappingText
)

// ErrSyntax is matched by every error of Parse.
var ErrSyntax = errors.New("invalid policy")

// An Error is one mistake in the text of a policy.
type Error struct {
	Policy string // its name
	Line   int    // counted from 1; 0 if the whole text is meant
	Text   string // what is wrong, and what to do
}

// Error implements error.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("policy %q: %s", e.Policy, e.Text)
	}
	return fmt.Sprintf("policy %q, line %d: %s", e.Policy, e.Line, e.Text)
}

// Is reports that every Error is an ErrSyntax.
func (e *Error) Is(target error) bool { return target == ErrSyntax }

// A Policy is a named set of rules. It is not changed once made, and may be shared between goroutines.
type Policy struct {
	Name  string
	Text  string // as it was given to Parse
	Rules []*Rule
}

// A Rule is what one path block grants. Its maps and slices are read-only.
type Rule struct {
	Path    string // without a leading slash; ends in "*" for everything that begins so, "+" is any one segment
	Line    int    // where the block begins
	Comment string // whatever its author wanted to say

	Capabilities Capabilities

	// MinWrap and MaxWrap are how long the answer must at least, and may at most, be wrapped. 0: no bound. With a bound, an
	// answer that is not wrapped is refused.
	MinWrap, MaxWrap time.Duration

	// Allowed and Denied restrict the parameters of a read, create, update or patch, by their name in small letters. The values
	// are string, bool, int64, float64 or []any of these; an empty list means any value. The name "*" stands for all others.
	Allowed, Denied map[string][]any
	// Required lists parameters that must be there, in small letters.
	Required []string

	// Limit is how many keys one list or scan may answer. 0: no limit.
	Limit int
	// KeysFilter, if not empty, leaves out of a list what the token may not read. See FilterPath.
	KeysFilter string
	// Expires is the last moment at which the rule counts. The zero time: it does not expire.
	Expires time.Time

	pattern   pattern // of Path; not set while templated
	templated bool
}

// Templated reports whether a path names properties of who asks, so that the policy must be expanded before it is compiled.
func (p *Policy) Templated() bool {
	for _, r := range p.Rules {
		if r.templated {
			return true
		}
	}
	return false
}

// cleanPath removes the one slash that a path may begin with.
func cleanPath(path string) string { return strings.TrimPrefix(path, "/") }
