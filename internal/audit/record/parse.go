package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// ParseLine parses one line, which ends in its line feed, and recomputes its hash; whether the hash written in the
// line is the same is told by ok, and that the line fits into a chain is for the caller to see. It returns
// ErrMalformed for whatever AppendLine does not write.
func ParseLine(b []byte) (l Line, ok bool, err error) {
	if len(b) > MaxLine || len(b) == 0 || b[len(b)-1] != '\n' {
		return Line{}, false, ErrMalformed
	}
	c := cursor{rest: b}
	c.want(`{"seq":`)
	l.Seq = c.number()
	c.want(`,"type":"`)
	l.Kind = c.kind()
	c.want(`","time":"`)
	l.Time = c.time()
	c.want(`"`)
	c.body(&l)
	c.want(`,"prev":"`)
	c.hex(l.Prev[:])
	c.want(`"`)
	hashed := b[:len(b)-len(c.rest)]
	c.want(`,"hash":"`)
	c.hex(l.Hash[:])
	c.want("\"}\n")
	if c.bad || len(c.rest) > 0 || l.Seq == 0 {
		return Line{}, false, ErrMalformed
	}
	return l, sha256.Sum256(hashed) == l.Hash, nil
}

// SeqOf returns the sequence number that the line b begins with, or 0 if it begins otherwise.
func SeqOf(b []byte) uint64 {
	c := cursor{rest: b}
	c.want(`{"seq":`)
	seq := c.number()
	if c.want(","); c.bad {
		return 0
	}
	return seq
}

// body parses the members that depend on the kind.
func (c *cursor) body(l *Line) {
	switch l.Kind {
	case KindEntry:
		c.entry(&l.Entry)
		l.Entry.Seq, l.Entry.Time = l.Seq, l.Time
	case KindHeader:
		c.format()
	case KindCheckpoint:
		c.want(`,"key":"`)
		c.hex(l.Key[:])
		c.want(`","signature":"`)
		c.hex(l.Signature[:])
		c.want(`"`)
	case KindContinued:
		c.want(`,"next":`)
		l.Next = c.string()
		c.check(l.Next != "")
	case KindRecovered:
		c.want(`,"bytes":`)
		l.Bytes = c.number()
		c.want(`,"sum":"`)
		c.hex(l.Sum[:])
		c.want(`"`)
	case KindGap:
		c.format()
		c.want(`,"from":`)
		l.From = c.number()
		l.Reason = c.reason()
		c.check(l.From > 0 && l.From <= l.Seq)
	}
}

// kind parses the name of a kind.
func (c *cursor) kind() Kind {
	for _, k := range [...]Kind{KindEntry, KindCheckpoint, KindHeader, KindContinued, KindRecovered, KindGap} {
		if c.has(string(k)) {
			return k
		}
	}
	c.bad = true
	return ""
}

func (c *cursor) format() {
	c.want(`,"format":`)
	c.check(c.number() == Format)
}

// entry parses the members of an entry after its time.
func (c *cursor) entry(e *Entry) {
	if c.has(`,"actor":{"kind":`) {
		e.Actor.Kind = ActorKind(c.string())
		e.Actor.ID = c.member(`,"id":`)
		e.Actor.Name = c.member(`,"name":`)
		c.want("}")
		c.check(e.Actor.Kind.valid())
	}
	if c.has(`,"client":{"kind":`) {
		e.Client.Kind = ClientKind(c.string())
		e.Client.Name = c.member(`,"name":`)
		e.Client.Version = c.member(`,"version":`)
		pid := c.optional(`,"pid":`)
		c.want("}")
		c.check(e.Client.Kind.valid() && pid <= maxInt)
		e.Client.PID = int(pid)
	}
	c.want(`,"action":`)
	e.Action = c.string()
	e.Org = c.member(`,"org":`)
	e.Project = c.member(`,"project":`)
	e.Environment = c.member(`,"env":`)
	e.Keys = c.keys()
	e.Revision = c.optional(`,"revision":`)
	c.want(`,"outcome":`)
	e.Outcome = Outcome(c.string())
	e.Reason = c.reason()
	e.Request = c.member(`,"request":`)
	e.Digests = c.digests()
	c.check(validAction(e.Action) && e.Outcome.valid())
}

const maxInt = uint64(^uint(0) >> 1)

// keys parses the optional list of keys.
func (c *cursor) keys() []string {
	if !c.has(`,"keys":[`) {
		return nil
	}
	end := bytes.IndexByte(c.rest, ']') // an estimate only: a name may hold a bracket
	keys := make([]string, 0, 1+bytes.Count(c.rest[:max(end, 0)], []byte(`","`)))
	for !c.bad {
		keys = append(keys, c.string())
		if !c.has(",") {
			break
		}
	}
	c.want("]")
	return keys
}

// digests parses the optional digests, whose names have to ascend.
func (c *cursor) digests() map[string]string {
	if !c.has(`,"digests":{`) {
		return nil
	}
	m := make(map[string]string)
	last := ""
	for !c.bad {
		name := c.string()
		c.check(len(m) == 0 || name > last)
		c.want(":")
		m[name], last = c.string(), name
		if !c.has(",") {
			break
		}
	}
	c.want("}")
	return m
}

// reason parses the optional reason, which is no longer than what AppendEntry would write.
func (c *cursor) reason() string {
	s := c.member(`,"reason":`)
	c.check(len(s) <= MaxReason)
	return s
}

// cursor walks through a line. After the first thing that is not as expected it is bad and stays where it is.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) check(ok bool) { c.bad = c.bad || !ok }

// has consumes s if it comes next.
func (c *cursor) has(s string) bool {
	if c.bad || len(c.rest) < len(s) || string(c.rest[:len(s)]) != s {
		return false
	}
	c.rest = c.rest[len(s):]
	return true
}

// want consumes s, which has to come next.
func (c *cursor) want(s string) { c.bad = !c.has(s) || c.bad }

// member parses the optional member called name; a member that is there is not empty.
func (c *cursor) member(name string) string {
	if !c.has(name) {
		return ""
	}
	s := c.string()
	c.check(s != "")
	return s
}

// optional parses the optional number called name; a number that is there is not 0.
func (c *cursor) optional(name string) uint64 {
	if !c.has(name) {
		return 0
	}
	n := c.number()
	c.check(n != 0)
	return n
}

// number parses a decimal number without leading zeros.
func (c *cursor) number() uint64 {
	i := 0
	for i < len(c.rest) && c.rest[i] >= '0' && c.rest[i] <= '9' {
		i++
	}
	n, err := strconv.ParseUint(string(c.rest[:i]), 10, 64)
	if c.check(err == nil && (i == 1 || c.rest[0] != '0')); c.bad {
		return 0
	}
	c.rest = c.rest[i:]
	return n
}

// hex fills dst from lower-case hex digits.
func (c *cursor) hex(dst []byte) {
	n := 2 * len(dst)
	if c.check(len(c.rest) >= n); c.bad {
		return
	}
	for _, b := range c.rest[:n] {
		c.check(b < 'A' || b > 'F')
	}
	_, err := hex.Decode(dst, c.rest[:n])
	c.check(err == nil)
	c.rest = c.rest[n:]
}
