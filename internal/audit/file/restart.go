package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Restart goes on after the anchor although lines up to it are lost, with a signed gap line that says so and gives the
// reason. If keep is false the files that are there are set aside first, under other names; otherwise the gap follows
// what they hold. It needs a Signer and an Anchor.
func Restart(ctx context.Context, dir string, opts Options, reason string, keep bool) error {
	if opts.Signer == nil || opts.Anchor == nil {
		return errors.New("restarting the audit log: no signer or no anchor")
	}
	d := New(dir, opts)
	if !keep {
		if err := d.setAside(); err != nil {
			return err
		}
	}
	d.gap, d.reason = true, reason
	return d.Close(ctx)
}

// setAside renames all files of the log.
func (d *Device) setAside() error {
	parts, err := Parts(d.dir)
	if err != nil {
		return err
	}
	suffix := d.opts.Clock().UTC().Format(".aside-20060102T150405.000000000Z")
	for _, p := range parts {
		path := filepath.Join(d.dir, p.Name)
		if err := os.Rename(path, path+suffix); err != nil {
			return fmt.Errorf("setting the audit log aside: %w", err)
		}
	}
	return nil
}
