package file

import (
	"errors"
	"fmt"

	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// piece is lines that are written at once.
type piece struct {
	buf    []byte
	body   []byte      // room for the bodies made here
	head   record.Head // the last of the lines
	lines  int
	signed bool // a checkpoint is the last of them
	begins bool // the first begins the file
	next   string
}

func (p *piece) add(body []byte) {
	p.buf, p.head = record.AppendLine(p.buf, body, p.head)
	p.body = body[:0]
	p.lines++
	p.signed = false
}

// compose returns the lines for a batch: what makes the file whole if it is not, the entries, a checkpoint if it is
// time for one.
func (d *Device) compose(batch record.Batch) (piece, error) {
	p, err := d.mend()
	if err != nil {
		return piece{}, err
	}
	now := d.opts.Clock()
	switch {
	case d.gap:
		from := p.head.Seq + 1
		p.head = record.Head{Seq: max(d.anchor.Seq, p.head.Seq), Hash: d.anchor.Hash}
		if from > d.anchor.Seq && d.anchor.Seq > 0 {
			p.head.Seq++ // so that it is seen to jump, and may hold the anchor's hash
		}
		p.add(record.AppendGap(p.body, now, from, d.reason))
		d.sign(&p)
	case d.tail.offset == 0:
		p.add(record.AppendHeader(p.body, now))
	}
	p.begins = d.tail.offset == 0
	for _, body := range batch.Bodies {
		p.buf, p.head = record.AppendLine(p.buf, body, p.head)
		p.signed = false
	}
	p.lines += len(batch.Bodies)
	if unsigned := d.signs.unsigned + p.lines; unsigned >= d.opts.Every || batch.Final && unsigned > 0 {
		d.sign(&p)
	}
	return p, nil
}

// mend returns a piece that begins where the file ends, with a recovered line if there is damage to account for.
func (d *Device) mend() (piece, error) {
	p := piece{buf: d.buf[:0], body: make([]byte, 0, 512), head: d.tail.head}
	if d.tail.damaged == 0 {
		return p, nil
	}
	sum, err := sumOf(d.f, d.tail.offset, d.tail.damaged)
	if err != nil {
		return piece{}, err
	}
	p.buf = append(p.buf, record.Mark...)
	p.add(record.AppendRecovered(p.body, d.opts.Clock(), uint64(d.tail.damaged), sum))
	return p, nil
}

// sign adds a checkpoint unless the last line is one or there is nobody to sign.
func (d *Device) sign(p *piece) {
	if d.opts.Signer == nil || p.signed {
		return
	}
	now := d.opts.Clock()
	message := record.CheckpointMessage(p.body, p.head.Seq+1, p.head.Hash, now)
	sig := record.Signature(d.opts.Signer.Sign(message))
	p.add(record.AppendCheckpoint(p.body, now, record.KeyIDOf(d.opts.Signer.Public()), sig))
	p.signed = true
}

// finish ends the open file with the name of the next one. It is on the disk before the next file is begun.
func (d *Device) finish() error {
	p, err := d.mend()
	if err != nil {
		return err
	}
	d.sign(&p)
	p.next = Name(p.head.Seq + 2)
	p.add(record.AppendContinued(p.body, d.opts.Clock(), p.next))
	if err := d.write(p); err != nil {
		return err
	}
	return d.flush()
}

// write appends p to the locked file. What could not be written whole is taken back; where even that is refused, the
// next append accounts for it.
func (d *Device) write(p piece) error {
	if p.lines == 0 {
		return nil
	}
	if cap(p.buf) <= 1<<20 {
		d.buf = p.buf
	}
	if _, err := d.f.Write(p.buf); err != nil {
		undo := d.f.Truncate(d.tail.end())
		return fmt.Errorf("writing the audit log: %w", errors.Join(err, undo))
	}
	d.tail = tail{known: true, offset: d.tail.end() + int64(len(p.buf)), head: p.head, next: p.next}
	d.gap = d.gap && p.next != ""
	d.named = d.named || p.begins
	d.signs.wrote(p.lines, p.signed)
	return nil
}

// sync makes what has been written as durable as the options say.
func (d *Device) sync() error {
	if d.opts.Sync == SyncOS {
		return nil
	}
	return d.flush()
}

// flush makes what has been written durable. After an error the system may have dropped what it could not write and
// say so only once, so no later success can be believed.
func (d *Device) flush() error {
	err := d.disk.data(d.f)
	if err == nil && d.named {
		err = d.disk.dir(d.dir)
	}
	if err != nil {
		d.broken = fmt.Errorf("%w: syncing it: %w", ErrBroken, err)
		return d.broken
	}
	d.named = false
	return nil
}
