package record

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// Hash is a SHA-256.
type Hash [sha256.Size]byte

// String returns h in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Head is a place in the chain: a line's sequence number and its hash, which stands for all lines up to it. The zero
// Head is the place before the first line.
type Head struct {
	Seq  uint64
	Hash Hash
}

// Kind is what a line is.
type Kind string

// The kinds of lines.
const (
	KindEntry      Kind = "entry"
	KindHeader     Kind = "header"
	KindCheckpoint Kind = "checkpoint"
	KindContinued  Kind = "continued"
	KindRecovered  Kind = "recovered"
	KindGap        Kind = "gap"
)

// Line is one line of a log. Which of the later fields are set depends on the Kind.
type Line struct {
	Head
	Prev Hash
	Kind Kind
	Time time.Time

	Entry     Entry     // KindEntry
	Key       KeyID     // KindCheckpoint
	Signature Signature // KindCheckpoint
	Next      string    // KindContinued: name of the next file
	Bytes     uint64    // KindRecovered: length of what was damaged
	Sum       Hash      // KindRecovered: and its SHA-256
	From      uint64    // KindGap: sequence number of the first lost line
	Reason    string    // KindGap
}

// AppendLine appends body as the line that follows head, with its line feed, and returns the extended buffer and the
// place of the new line.
func AppendLine(dst, body []byte, head Head) ([]byte, Head) {
	start := len(dst)
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendUint(dst, head.Seq+1, 10)
	dst = append(append(dst, ','), body...)
	dst = append(dst, `,"prev":"`...)
	dst = hex.AppendEncode(dst, head.Hash[:])
	dst = append(dst, '"')
	next := Head{head.Seq + 1, sha256.Sum256(dst[start:])}
	dst = append(dst, `,"hash":"`...)
	dst = hex.AppendEncode(dst, next.Hash[:])
	return append(dst, "\"}\n"...), next
}

// AppendBody appends the body of l, whatever its kind.
func AppendBody(dst []byte, l *Line) []byte {
	switch l.Kind {
	case KindEntry:
		return AppendEntry(dst, &l.Entry)
	case KindHeader:
		return AppendHeader(dst, l.Time)
	case KindCheckpoint:
		return AppendCheckpoint(dst, l.Time, l.Key, l.Signature)
	case KindContinued:
		return AppendContinued(dst, l.Time, l.Next)
	case KindRecovered:
		return AppendRecovered(dst, l.Time, l.Bytes, l.Sum)
	case KindGap:
		return AppendGap(dst, l.Time, l.From, l.Reason)
	}
	panic("audit: line of unknown kind " + strconv.Quote(string(l.Kind)))
}

// AppendHeader appends the body of a header.
func AppendHeader(dst []byte, t time.Time) []byte {
	dst = appendStart(dst, KindHeader, t)
	return appendNumber(dst, `,"format":`, Format)
}

// AppendCheckpoint appends the body of a checkpoint: see [CheckpointMessage] for what sig signs.
func AppendCheckpoint(dst []byte, t time.Time, key KeyID, sig Signature) []byte {
	dst = appendStart(dst, KindCheckpoint, t)
	dst = hex.AppendEncode(append(dst, `,"key":"`...), key[:])
	dst = hex.AppendEncode(append(dst, `","signature":"`...), sig[:])
	return append(dst, '"')
}

// AppendContinued appends the body of the line that ends a file and names the next one.
func AppendContinued(dst []byte, t time.Time, next string) []byte {
	return appendString(append(appendStart(dst, KindContinued, t), `,"next":`...), next)
}

// Mark is put behind damaged bytes before the recovered line. Not a mere line feed, as that could be all that a line was
// short of.
const Mark = "#\n"

// AppendRecovered appends the body of the line that stands after damaged bytes of the given number and SHA-256.
func AppendRecovered(dst []byte, t time.Time, bytes uint64, sum Hash) []byte {
	dst = append(appendStart(dst, KindRecovered, t), `,"bytes":`...)
	dst = strconv.AppendUint(dst, bytes, 10)
	dst = hex.AppendEncode(append(dst, `,"sum":"`...), sum[:])
	return append(dst, '"')
}

// AppendGap appends the body of the line that accepts the loss of the lines from from up to itself.
func AppendGap(dst []byte, t time.Time, from uint64, reason string) []byte {
	dst = appendStart(dst, KindGap, t)
	dst = appendNumber(dst, `,"format":`, Format)
	dst = strconv.AppendUint(append(dst, `,"from":`...), from, 10)
	return appendMember(dst, `,"reason":`, cutReason(reason))
}

// Batch is entries on their way to a device.
type Batch struct {
	// Bodies are the entries as AppendEntry writes them. A device must not change them.
	Bodies [][]byte
	// Final says that nothing more is expected for now: a device that signs or flushes from time to time does so.
	Final bool
}
