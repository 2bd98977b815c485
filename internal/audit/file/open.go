package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// loadAnchor loads the anchor before the first append. It has to come before the log is opened: what the anchor knew
// then is in the log now.
func (d *Device) loadAnchor(ctx context.Context) error {
	if d.anchored || d.opts.Anchor == nil {
		return nil
	}
	head, err := d.opts.Anchor.Load(ctx)
	if err != nil {
		return fmt.Errorf("loading the audit log's head: %w", err)
	}
	d.anchor, d.anchored = head, true
	return nil
}

// openFile makes sure that the log's last file is open, as far as is known: whether it really is the last is seen
// once it is locked.
func (d *Device) openFile() error {
	if d.f == nil {
		return d.openLast()
	}
	if d.tail.next == "" {
		return nil
	}
	next, head := d.tail.next, d.tail.head
	if next != Name(head.Seq+1) {
		return fmt.Errorf("%w: %s does not continue %s", ErrTampered, next, d.name)
	}
	if err := d.closeFile(); err != nil {
		return err
	}
	if err := d.open(next); err != nil {
		return err
	}
	d.tail = tail{known: true, head: head}
	return nil
}

// openLast opens the last file of the log or begins a log.
func (d *Device) openLast() error {
	parts, err := Parts(d.dir)
	if err != nil {
		return err
	}
	name := First
	switch n := len(parts); {
	case n > 0:
		name = parts[n-1].Name
	case d.gap:
		name = Name(d.anchor.Seq + 1)
	case d.anchor.Seq > 0:
		return fmt.Errorf("%w: it is missing", ErrTampered)
	}
	return d.open(name)
}

// open opens the file called name, making it and the folder if need be.
func (d *Device) open(name string) error {
	path := filepath.Join(d.dir, name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(d.dir, 0o700); err == nil {
			f, err = os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
		}
	}
	if err != nil {
		return fmt.Errorf("opening the audit log: %w", err)
	}
	d.f, d.name, d.tail = f, name, tail{}
	return nil
}

// check returns the size of the open file if that is still the file of its name, and safe to write to.
func (d *Device) check() (int64, error) {
	open, err := d.f.Stat()
	if err != nil {
		return 0, fmt.Errorf("examining the audit log: %w", err)
	}
	// Lstat, because a symbolic link is not the file: a log is not led astray to /dev/null.
	named, err := os.Lstat(filepath.Join(d.dir, d.name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%w: %s is gone", ErrReplaced, d.name)
	case err != nil:
		return 0, fmt.Errorf("examining the audit log: %w", err)
	case !named.Mode().IsRegular():
		return 0, fmt.Errorf("%w: %s is not a regular file", ErrInsecure, d.name)
	case !os.SameFile(open, named):
		return 0, fmt.Errorf("%w: %s is another file now", ErrReplaced, d.name)
	case writableByOthers(named.Mode()):
		return 0, fmt.Errorf("%w: %s may be written by others (mode %04o)", ErrInsecure, d.name, named.Mode().Perm())
	}
	return open.Size(), nil
}
