package local

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
)

// A backup is one file:
//
//	"zvault-backup-1\n"
//	header   one line of JSON: when it was made, and how its key is made of a passphrase
//	frames   length (4, big endian) || envelope of up to 64 KiB
//
// The envelopes are sealed with the passphrase's key and bound to the header, their number and whether they are the last, so a
// frame that is changed, missing, moved or from another backup is found. Together they hold a tar archive: the root key, the
// database, and the files of the audit log. Whoever has the file and the passphrase has the vault.
const (
	backupMagic = "zvault-backup-1\n"
	frameSize   = 64 << 10
	maxHeader   = 4 << 10
	rootMember  = "root"
)

var (
	// ErrNoBackup is returned for a file that is no backup.
	ErrNoBackup = errors.New("not a backup of zvault")
	// ErrBadBackup is returned for a backup that is damaged or cut short, or a passphrase that is not its own.
	ErrBadBackup = errors.New("the backup is damaged, or the passphrase is wrong")
)

type backupHeader struct {
	Format  int                `json:"format"`
	Created time.Time          `json:"created"`
	Key     crypt.Argon2Params `json:"key"`
}

// Backup writes the whole vault to w, sealed with a passphrase. Others may use the vault meanwhile.
func (v *Vault) Backup(ctx context.Context, w io.Writer, passphrase []byte) error {
	if err := v.record(ctx, "vault.backup", ""); err != nil {
		return err
	}
	snapshot, err := v.snapshot(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(snapshot) }() // holds nothing that is not sealed
	out, err := newFrameWriter(w, passphrase)
	if err != nil {
		return err
	}
	defer out.key.Destroy()
	archive := tar.NewWriter(out)
	err = v.Barrier.ExportRoot(func(material []byte) error { return addMember(archive, rootMember, material) })
	if err != nil {
		return err
	}
	if err := addFile(archive, DatabaseFile, snapshot); err != nil {
		return err
	}
	logs, err := filepath.Glob(filepath.Join(v.Home, AuditDir, "*.log"))
	if err != nil {
		return err
	}
	for _, path := range logs {
		if err := addFile(archive, AuditDir+"/"+filepath.Base(path), path); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return out.finish()
}

// snapshot copies the database as it is at one moment.
func (v *Vault) snapshot(ctx context.Context) (path string, err error) {
	dir, err := os.MkdirTemp(v.Home, ".backup-*")
	if err != nil {
		return "", fmt.Errorf("copying the vault: %w", err)
	}
	copied, path := filepath.Join(dir, "copy"), filepath.Join(v.Home, filepath.Base(dir)+".db")
	if _, err = v.db.SQL().ExecContext(ctx, `VACUUM INTO $1`, copied); err == nil {
		err = os.Chmod(copied, 0o600)
	}
	if err == nil {
		err = os.Rename(copied, path)
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		return "", fmt.Errorf("copying the vault: %w", err)
	}
	return path, nil
}

func addMember(archive *tar.Writer, name string, content []byte) error {
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := archive.Write(content)
	return err
}

func addFile(archive *tar.Writer, name, path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err = io.CopyN(archive, f, info.Size()) // a log that grows meanwhile is copied as it was
	return err
}

// frameWriter seals a stream in frames.
type frameWriter struct {
	w      *bufio.Writer
	key    *crypt.Key
	header string
	n      uint64
	buf    []byte
}

func newFrameWriter(w io.Writer, passphrase []byte) (*frameWriter, error) {
	h := backupHeader{Format: 1, Created: time.Now().UTC().Truncate(time.Second), Key: crypt.DefaultArgon2()}
	h.Key.Salt = make([]byte, 16)
	if _, err := rand.Read(h.Key.Salt); err != nil {
		return nil, err
	}
	key, err := crypt.PassphraseKey(passphrase, h.Key)
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	f := &frameWriter{w: bufio.NewWriter(w), key: key, header: string(line)}
	_, err = f.w.WriteString(backupMagic + f.header + "\n")
	return f, err
}

func frameAAD(header string, n uint64, last bool) []byte {
	return crypt.AAD("backup", header, fmt.Sprint(n), fmt.Sprint(last))
}

// Write takes b into frames; the last one is kept for finish.
func (f *frameWriter) Write(b []byte) (int, error) {
	f.buf = append(f.buf, b...)
	for len(f.buf) > frameSize {
		if err := f.frame(f.buf[:frameSize], false); err != nil {
			return 0, err
		}
		f.buf = f.buf[:copy(f.buf, f.buf[frameSize:])]
	}
	return len(b), nil
}

func (f *frameWriter) frame(b []byte, last bool) error {
	sealed, err := f.key.Seal(b, frameAAD(f.header, f.n, last))
	if err != nil {
		return err
	}
	f.n++
	if _, err := f.w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(sealed)))); err != nil { //nolint:gosec // 64 KiB and a bit
		return err
	}
	_, err = f.w.Write(sealed)
	return err
}

func (f *frameWriter) finish() error {
	if err := f.frame(f.buf, true); err != nil {
		return err
	}
	return f.w.Flush()
}
