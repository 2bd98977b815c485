package local

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// ChangedLog returns a backup in which the files of the audit log are changed, or, if change is nil, left out.
func ChangedLog(backup, passphrase []byte, change func([]byte) []byte) ([]byte, error) {
	in, err := newFrameReader(bytes.NewReader(backup), passphrase)
	if err != nil {
		return nil, err
	}
	defer in.key.Destroy()
	var out bytes.Buffer
	frames, err := newFrameWriter(&out, passphrase)
	if err != nil {
		return nil, err
	}
	defer frames.key.Destroy()
	from, to := tar.NewReader(in), tar.NewWriter(frames)
	for {
		h, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		isLog := strings.HasPrefix(h.Name, AuditDir+"/")
		if isLog && change == nil {
			continue
		}
		content, err := io.ReadAll(from)
		if isLog {
			content = change(content)
		}
		if err == nil {
			err = addMember(to, h.Name, content)
		}
		if err != nil {
			return nil, err
		}
	}
	err = errors.Join(to.Close(), frames.finish())
	return out.Bytes(), err
}

// HoldingDatabase calls act inside of a transaction that writes.
func (v *Vault) HoldingDatabase(ctx context.Context, act func() error) error {
	return v.store.Update(ctx, func(storage.Tx) error { return act() })
}
