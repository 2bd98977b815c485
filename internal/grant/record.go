package grant

import (
	"context"
	"fmt"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
)

// Recorder writes an audit entry; it is durable when Record returns nil. The audit log of a vault is one.
type Recorder interface {
	Record(ctx context.Context, e audit.Entry) error
}

// The actions in the audit log. An answer "deny" is ActApprove with the outcome denied.
const (
	ActAllow   = "grant.allow"   // a use passed the gate
	ActDeny    = "grant.deny"    // a use did not
	ActAsk     = "grant.ask"     // a person is asked
	ActApprove = "grant.approve" // a person answered
	ActRule    = "grant.rule"    // a person added a rule
	ActRemove  = "grant.remove"  // a person removed a rule
	ActRevoke  = "grant.revoke"  // a person ended what assistants were given
)

// about completes an entry with the use that it speaks of: names, where to, and the digest that an approval is bound to. The
// reason begins with tool=NAME and, where there is one, host=NAME.
func about(e audit.Entry, u Use, why string) audit.Entry {
	e.Project, e.Environment, e.Keys = u.Project, u.Env, u.names()
	e.Digests = map[string]string{"use": "sha256:" + u.Digest()}
	words := []string{"tool=" + Visible(u.Tool)}
	if u.Host != "" {
		words = append(words, "host="+Visible(u.address()))
	}
	if u.Method != "" {
		words = append(words, Visible(u.Method))
	}
	if u.Path != "" {
		words = append(words, Visible(u.Path))
	}
	if len(u.Command) > 0 { // arguments may be anything; the digest has them
		words = append(words, Visible(joinWords(u.Command[:1])))
	}
	if why != "" {
		words = append(words, "("+why+")")
	}
	e.Reason = strings.Join(words, " ")
	return e
}

// record writes an entry, or says why nothing may happen.
func record(ctx context.Context, to Recorder, e audit.Entry) error {
	if err := to.Record(ctx, e); err != nil {
		return fmt.Errorf("refusing, because the audit log cannot be written: %w", err)
	}
	return nil
}
