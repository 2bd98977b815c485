package audit

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit/file"
	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

var (
	// ErrTruncated is the cause in a *Break when the log ends before the head that the vault remembers.
	ErrTruncated = errors.New("the log ends before the head that the vault remembers")
	// ErrRewritten is the cause in a *Break when the line at that head is another.
	ErrRewritten = errors.New("the line is not the one that the vault remembers")
	// ErrSignature is the cause in a *Break when a checkpoint was not signed by the expected key.
	ErrSignature = record.ErrSignature
)

// Report is what Verify saw, up to the place where the chain breaks if it does.
type Report struct {
	Files       int
	Lines       int // of the chain, of all kinds
	Entries     int
	Checkpoints int
	First, Last time.Time // of the first and the last line
	Head        Head      // of the last line
	Uncovered   int       // entries after the last checkpoint: whoever can write to the file can change these
	Recovered   int       // writes that a crash cut short; none of them was acknowledged
	Damaged     uint64    // bytes that these left
	Torn        int64     // bytes of an unfinished line at the end, which the next entry will account for
	Gaps        []Gap     // lines whose loss was accepted
}

// Gap is a loss that the keeper of the vault's key has accepted.
type Gap struct {
	From, To uint64 // sequence numbers of the first and the last line lost; none if To is before From
	Time     time.Time
	Reason   string
}

// Verify reads a log (its files one after the other) and checks its chain and its checkpoints, which pub must have
// signed. If head is given, the log has to hold it; without it, lines cut off at the end are not found out. The error
// for a log that does not hold is a *Break, which matches ErrBroken and says where; the Report then tells how far
// the log holds.
func Verify(r io.Reader, pub ed25519.PublicKey, head *Head) (Report, error) {
	v, err := newVerifier(pub, head)
	if err != nil {
		return Report{}, err
	}
	v.walker = record.NewWalker(r, Head{}, "")
	if err := v.walk(context.Background()); err != nil {
		return v.finish(), err
	}
	return v.finish(), v.end()
}

// VerifyDir is Verify for the log in dir, while it may be in use; head has to be loaded before. A *Break names the
// file.
func VerifyDir(ctx context.Context, dir string, pub ed25519.PublicKey, head *Head) (Report, error) {
	v, err := newVerifier(pub, head)
	if err != nil {
		return Report{}, err
	}
	parts, err := file.Snapshot(dir)
	if err != nil {
		return Report{}, err
	}
	for _, p := range parts {
		if err := v.file(ctx, dir, p); err != nil {
			return v.finish(), err
		}
	}
	return v.finish(), v.end()
}

// Verify is VerifyDir with the Log's own signer and anchor.
func (l *Log) Verify(ctx context.Context) (Report, error) {
	var head *Head
	if l.opts.Anchor != nil {
		h, err := l.opts.Anchor.Load(ctx)
		if err != nil {
			return Report{}, fmt.Errorf("loading the audit log's head: %w", err)
		}
		head = &h
	}
	return VerifyDir(ctx, l.dir, l.opts.publicKey(), head)
}

// verifier keeps count while it follows a chain.
type verifier struct {
	pub    ed25519.PublicKey
	head   Head
	walker *record.Walker
	report Report
	last   record.Kind
}

func newVerifier(pub ed25519.PublicKey, head *Head) (*verifier, error) {
	if len(pub) != ed25519.PublicKeySize {
		return nil, errors.New("verifying the audit log: no public key")
	}
	v := &verifier{pub: pub}
	if head != nil {
		v.head = *head
	}
	return v, nil
}

// file walks through one file of a log.
func (v *verifier) file(ctx context.Context, dir string, p file.Part) (err error) {
	f, err := os.Open(filepath.Join(dir, p.Name))
	if err != nil {
		return fmt.Errorf("verifying the audit log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := io.NewSectionReader(f, 0, p.Size)
	if v.walker == nil {
		v.walker = record.NewWalker(r, Head{}, p.Name)
	} else if err := v.walker.Continue(r, p.Name); err != nil {
		return err
	}
	v.report.Files++
	return v.walk(ctx)
}

// walk checks all lines of the stream that the walker is in.
func (v *verifier) walk(ctx context.Context) error {
	for {
		l, err := v.walker.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = v.line(&l)
		}
		if err == nil && v.report.Lines%1024 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// line checks one line beyond what the walker does, and counts it.
func (v *verifier) line(l *record.Line) error {
	switch l.Kind {
	case record.KindEntry:
		v.report.Entries++
		v.report.Uncovered++
	case record.KindCheckpoint:
		if err := l.CheckSignature(v.pub); err != nil {
			return v.broken(l.Seq, err)
		}
		v.report.Checkpoints++
		v.report.Uncovered = 0
	case record.KindGap:
		v.report.Gaps = append(v.report.Gaps, Gap{From: l.From, To: l.Seq - 1, Time: l.Time, Reason: l.Reason})
	}
	if l.Seq == v.head.Seq && l.Hash != v.head.Hash {
		return v.broken(l.Seq, ErrRewritten)
	}
	if v.report.Lines++; v.report.Lines == 1 {
		v.report.First = l.Time
	}
	v.report.Last, v.report.Head, v.last = l.Time, l.Head, l.Kind
	return nil
}

// broken returns a Break at the walker's last line.
func (v *verifier) broken(seq uint64, err error) error {
	b := v.walker.Broken(err)
	b.Line, b.Seq = b.Line-1, seq
	return b
}

// end checks that the log does not end too early.
func (v *verifier) end() error {
	switch {
	case v.last == record.KindGap:
		return v.walker.Broken(fmt.Errorf("%w: gap without a checkpoint", record.ErrPlace))
	case v.report.Head.Seq >= v.head.Seq:
		return nil
	case v.walker == nil: // there is no file at all
		return &Break{File: file.First, Line: 1, Seq: 1, Err: ErrTruncated}
	}
	return v.walker.Broken(fmt.Errorf("%w: seq %d", ErrTruncated, v.head.Seq))
}

// finish returns the report with what the walker has counted.
func (v *verifier) finish() Report {
	if v.walker != nil {
		v.report.Recovered, v.report.Damaged = v.walker.Damage, v.walker.DamagedBytes
		v.report.Torn = v.walker.Torn
	}
	return v.report
}
