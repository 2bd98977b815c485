// Package record is the format of the audit log: what an entry holds, and how it becomes a line of a hash chain.
//
// The log is text, one JSON object a line, members in a fixed order, written by hand and parsed strictly: a line that
// this package reads is the line that it would write, byte for byte. Five kinds of lines share one frame:
//
//	{"seq":7,"type":"entry",      "time":T,"actor":{…},"client":{…},"action":"secret.reveal",…,"prev":P,"hash":H}
//	{"seq":1,"type":"header",     "time":T,"format":1,                                         "prev":P,"hash":H}
//	{"seq":8,"type":"checkpoint", "time":T,"key":K,"signature":S,                              "prev":P,"hash":H}
//	{"seq":9,"type":"continued",  "time":T,"next":"audit-000000000010.log",                    "prev":P,"hash":H}
//	{"seq":9,"type":"recovered",  "time":T,"bytes":N,"sum":D,                                  "prev":P,"hash":H}
//	{"seq":9,"type":"gap",        "time":T,"format":1,"from":4,"reason":R,                     "prev":P,"hash":H}
//
// (without the spaces). T is a time in UTC with nine digits of a second. P is the hash of the line before, 64 zeros
// in the first line. H is the SHA-256 of the line's own bytes before `,"hash":`, P among them: so H covers all lines
// up to this one, and `sed 's/,"hash".*//' | tr -d '\n' | sha256sum` of a single line gives it. Sequence numbers begin
// with 1, count every line whatever its kind, and go on from file to file.
//
//   - A header begins a log and every file of it.
//   - A checkpoint holds an Ed25519 signature (hex) over its sequence number, time and P ([CheckpointMessage]); K is
//     the first 8 bytes of the SHA-256 of the public key.
//   - A continued line ends a file that has grown to its limit and names the next.
//   - A recovered line speaks of the bytes between the line before it in the chain and itself: a write that a crash
//     cut short left them there. N is their number and D their SHA-256, without the [Mark] that was put after them.
//   - A gap says that lines "from" up to its own sequence number are lost and that the keeper of the signing key
//     accepts this; P is the hash that the vault remembers of the last one lost. A checkpoint follows it directly.
//     It may begin a file, in place of the header.
//
// Members that are zero are left out, so a later version can add one without changing how an older line is written.
package record

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// MaxLine is the length in bytes, line feed included, above which nothing is a line.
const MaxLine = 4 << 20

// Format is the version that headers carry.
const Format = 1

var (
	// ErrInvalid is returned for an entry that cannot be recorded; the text names the member.
	ErrInvalid = errors.New("invalid audit entry")
	// ErrMalformed is returned for bytes that are not a line of a log.
	ErrMalformed = errors.New("not a line of an audit log")
)

// Entry is one act: who did what to which secrets, and how it ended. It never holds a value; sensitive fields that
// somebody may want to check later go into Digests.
type Entry struct {
	// Seq is the sequence number of the line that the entry was read from; Record ignores it.
	Seq uint64
	// Time is when it happened; zero means when Record is called. Only years 0 to 9999 can be written.
	Time time.Time
	// Actor is who acted. The zero Actor is somebody unknown, as in a request that was denied for it.
	Actor Actor
	// Client is the program through which the actor acted. Optional.
	Client Client
	// Action is what was done, in dotted lower case: "secret.reveal". Required.
	Action string
	// Org, Project and Environment say where, by id or slug. Optional.
	Org, Project, Environment string
	// Keys are the names (not values) of the secrets concerned, all of them, in the order given.
	Keys []string
	// Revision is the environment's revision that was read or made; 0 where there is none.
	Revision uint64
	// Outcome is how it ended. Required.
	Outcome Outcome
	// Reason says why in a few words, never with a value; longer than MaxReason bytes is cut.
	Reason string
	// Request is the id that other logs know the request by. Optional.
	Request string
	// Digests are HMACs of sensitive fields by field name, as Log.Digest makes them.
	Digests map[string]string
}

// MaxReason is the length in bytes that a Reason is cut to.
const MaxReason = 512

// Actor is who acted.
type Actor struct {
	Kind ActorKind
	ID   string
	Name string
}

// ActorKind tells people from machines.
type ActorKind string

// The kinds of actors.
const (
	Person    ActorKind = "person"
	Service   ActorKind = "service"
	Assistant ActorKind = "assistant"
	System    ActorKind = "system"
)

// Client is the program that the actor used.
type Client struct {
	Kind    ClientKind
	Name    string
	Version string
	PID     int // of the process; 0 where unknown
}

// ClientKind is the face through which a request came.
type ClientKind string

// The kinds of clients.
const (
	CLI    ClientKind = "cli"
	Server ClientKind = "server"
	MCP    ClientKind = "mcp"
	SDK    ClientKind = "sdk"
)

// Outcome is how an act ended.
type Outcome string

// The outcomes.
const (
	OK     Outcome = "ok"
	Denied Outcome = "denied" // by policy or for want of an identity
	Failed Outcome = "failed" // allowed, and went wrong
)

// Validate returns ErrInvalid for an entry that has no line.
func (e *Entry) Validate() error {
	switch {
	case !validAction(e.Action):
		return fmt.Errorf("%w: action %q is not dotted lower case", ErrInvalid, e.Action)
	case !e.Outcome.valid():
		return fmt.Errorf("%w: outcome %q", ErrInvalid, string(e.Outcome))
	case e.Actor != (Actor{}) && !e.Actor.Kind.valid():
		return fmt.Errorf("%w: actor kind %q", ErrInvalid, string(e.Actor.Kind))
	case e.Client != (Client{}) && !e.Client.Kind.valid():
		return fmt.Errorf("%w: client kind %q", ErrInvalid, string(e.Client.Kind))
	case e.Client.PID < 0:
		return fmt.Errorf("%w: negative pid", ErrInvalid)
	case !validTime(e.Time):
		return fmt.Errorf("%w: time out of range", ErrInvalid)
	}
	for name := range e.Digests {
		if !utf8.ValidString(name) { // two such names could look alike in the line
			return fmt.Errorf("%w: name of a digest is not UTF-8", ErrInvalid)
		}
	}
	return nil
}

func (k ActorKind) valid() bool {
	return k == Person || k == Service || k == Assistant || k == System
}

func (k ClientKind) valid() bool { return k == CLI || k == Server || k == MCP || k == SDK }

func (o Outcome) valid() bool { return o == OK || o == Denied || o == Failed }

// validAction accepts words of [a-z0-9_-] joined by dots.
func validAction(s string) bool {
	last := byte('.')
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '-':
		case c == '.' && last != '.':
		default:
			return false
		}
		last = c
	}
	return last != '.'
}

func validTime(t time.Time) bool {
	y := t.UTC().Year()
	return y >= 0 && y <= 9999
}
