// Package grant decides whether a secret may be used in one particular way, and asks the person where nothing is settled.
//
// A secret's [Rule]s say which tools, hosts, paths and commands may use it. An assistant, or a program under the shield,
// names a [Use]; what no rule settles is asked outside of its reach, and an approval holds for exactly that use.
package grant

import "context"

// Gate lets a use pass or not. The MCP tools and the shield stand behind one.
type Gate interface {
	// Authorize returns nil if the use is permitted now. It may wait for a person, as long as ctx lasts and the gate's own
	// patience. An error is a *DeniedError or says why nobody could be asked.
	Authorize(ctx context.Context, u Use) error
}

// DeniedError is returned for a use that is not permitted. Its text is for whoever asked, and holds no value.
type DeniedError struct {
	Use    Use
	Reason string // one line
	Hint   string // what the person can do about it, maybe empty
	// Pending is the id of a request that a person may still approve; empty if it was refused or cannot be.
	Pending string
}

// Error returns the reason and the hint.
func (e *DeniedError) Error() string {
	if e.Hint == "" {
		return e.Reason
	}
	return e.Reason + "; " + e.Hint
}
