package local

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
)

// Restore makes a vault of a backup, sealed anew by a provider. A directory with a vault in it is ErrExists. The backup is
// read, checked and opened completely beside the directory first; the database moves in last, so that a restore that fails
// or is stopped leaves no vault and can be done again.
func Restore(ctx context.Context, r io.Reader, home string, passphrase []byte, p seal.Provider, o Options) (err error) {
	if Exists(home) {
		return ErrExists
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return fmt.Errorf("making the vault's directory: %w", err)
	}
	unlock, err := lock(filepath.Join(home, lockFile))
	if err != nil {
		return fmt.Errorf("locking %s: %w", home, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if Exists(home) { // made while this one waited
		return ErrExists
	}
	if err := sweepRestores(ctx, home, o); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(home, restorePattern)
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	defer func() {
		if err == nil {
			err = os.RemoveAll(dir)
			return
		}
		err = errors.Join(err, sweepRestore(ctx, dir, o.providers(home)))
	}()
	root, err := unpack(r, dir, passphrase)
	if err != nil {
		return err
	}
	defer root.Destroy()
	if err := reseal(ctx, dir, root, p, o); err != nil {
		return err
	}
	return moveIn(dir, home)
}

// reseal opens the restored vault, which proves that it is whole, and gives it a new root key under the new seal.
func reseal(ctx context.Context, dir string, root *crypt.Key, p seal.Provider, o Options) error {
	v, err := open(ctx, dir, o, root)
	if err != nil {
		return fmt.Errorf("opening the restored vault: %w", err)
	}
	v.keepOldSeal = true // it belongs to the vault that the backup was made of
	err = v.Check(ctx)
	if err == nil {
		err = v.goOnWithoutLog(ctx)
	}
	if err == nil {
		err = v.record(ctx, "vault.restore", "")
	}
	if err == nil {
		err = v.Rekey(ctx, p)
	}
	return errors.Join(err, v.Close())
}

// goOnWithoutLog lets the restored vault have a log where the backup has none. The vault remembers where the old one ended and
// would take its absence for tampering, refuse every act, and fail every verification. The new log begins with a signed line that
// says what is not there. A log that is there but does not hold is left for the keeper to judge.
func (v *Vault) goOnWithoutLog(ctx context.Context) error {
	dir := filepath.Join(v.Home, AuditDir)
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(logs) > 0 {
		return err
	}
	err = audit.Restart(ctx, dir, v.auditor.options(), "restored from a backup without its audit log")
	if errors.Is(err, audit.ErrIntact) { // the vault remembers none either
		return nil
	}
	return err
}

// Check has the database look for damage in itself.
func (v *Vault) Check(ctx context.Context) error {
	var result string
	if err := v.db.SQL().QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&result); err != nil {
		return fmt.Errorf("checking the database: %w", err)
	}
	if result != "ok" {
		return fmt.Errorf("checking the database: %s: %w", result, ErrDamaged)
	}
	return nil
}

// moveIn moves the restored files into the vault's directory, the database last.
func moveIn(dir, home string) error {
	old := filepath.Join(home, AuditDir)
	if _, err := os.Stat(old); err == nil { // of a vault that is gone
		if err := os.Rename(old, fmt.Sprintf("%s-%d", old, time.Now().UnixNano())); err != nil {
			return fmt.Errorf("moving an old audit log aside: %w", err)
		}
	}
	for _, name := range []string{AuditDir, DatabaseFile} {
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(home, name)); err != nil {
			return fmt.Errorf("restoring: %w", err)
		}
	}
	return nil
}

// unpack reads a backup to its end into a directory and returns the root key.
func unpack(r io.Reader, dir string, passphrase []byte) (*crypt.Key, error) {
	frames, err := newFrameReader(r, passphrase)
	if err != nil {
		return nil, err
	}
	defer frames.key.Destroy()
	var root *crypt.Key
	archive := tar.NewReader(frames)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, frames.explain(err)
		}
		if h.Name == rootMember {
			if root, err = readRoot(archive); err != nil {
				return nil, frames.explain(err)
			}
			continue
		}
		if err := unpackFile(archive, dir, h.Name); err != nil {
			return nil, frames.explain(err)
		}
	}
	if _, err := io.Copy(io.Discard, frames); err != nil {
		return nil, frames.explain(err)
	}
	if root == nil {
		return nil, ErrBadBackup
	}
	return root, nil
}

func readRoot(r io.Reader) (*crypt.Key, error) {
	material, err := io.ReadAll(io.LimitReader(r, crypt.KeySize+1))
	if err != nil {
		return nil, err
	}
	return crypt.NewKey(1, material)
}

// unpackFile writes one member. Its name was written by us and is authenticated; it is checked all the same.
func unpackFile(r io.Reader, dir, name string) error {
	if name != DatabaseFile && (path.Dir(name) != AuditDir || !strings.HasSuffix(name, ".log") || strings.Contains(name, `\`)) {
		return fmt.Errorf("%w: it holds %q", ErrBadBackup, name)
	}
	target := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}

// frameReader opens the frames of a backup.
type frameReader struct {
	r      *bufio.Reader
	key    *crypt.Key
	header string
	n      uint64
	buf    []byte
	last   bool
	broken error
}

func newFrameReader(r io.Reader, passphrase []byte) (*frameReader, error) {
	f := &frameReader{r: bufio.NewReaderSize(r, maxHeader)}
	magic := make([]byte, len(backupMagic))
	if _, err := io.ReadFull(f.r, magic); err != nil || string(magic) != backupMagic {
		if strings.HasPrefix(string(magic), "zvault-backup-") {
			return nil, fmt.Errorf("the backup: %w", ErrNewer)
		}
		return nil, ErrNoBackup
	}
	line, err := f.r.ReadSlice('\n')
	if err != nil {
		return nil, ErrBadBackup
	}
	f.header = string(line[:len(line)-1])
	var h backupHeader
	if err := json.Unmarshal([]byte(f.header), &h); err != nil || h.Format != 1 {
		return nil, ErrBadBackup
	}
	f.key, err = crypt.PassphraseKey(passphrase, h.Key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadBackup, err)
	}
	return f, nil
}

// explain prefers the reason why a frame did not open over what came of it.
func (f *frameReader) explain(err error) error {
	if f.broken != nil {
		return f.broken
	}
	return fmt.Errorf("reading the backup: %w", err)
}

// Read implements io.Reader. The end is the end only behind the frame that says that it is the last.
func (f *frameReader) Read(b []byte) (int, error) {
	for len(f.buf) == 0 {
		if f.broken != nil {
			return 0, f.broken
		}
		if f.last {
			if _, err := f.r.ReadByte(); !errors.Is(err, io.EOF) {
				f.broken = ErrBadBackup
				return 0, f.broken
			}
			return 0, io.EOF
		}
		if err := f.frame(); err != nil {
			f.broken = err
			return 0, err
		}
	}
	n := copy(b, f.buf)
	f.buf = f.buf[n:]
	return n, nil
}

func (f *frameReader) frame() error {
	var size [4]byte
	if _, err := io.ReadFull(f.r, size[:]); err != nil {
		return ErrBadBackup
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > frameSize+crypt.Overhead {
		return ErrBadBackup
	}
	sealed := make([]byte, n)
	if _, err := io.ReadFull(f.r, sealed); err != nil {
		return ErrBadBackup
	}
	plain, err := f.key.Open(sealed, frameAAD(f.header, f.n, false))
	if err != nil {
		plain, err = f.key.Open(sealed, frameAAD(f.header, f.n, true))
		f.last = true
	}
	if err != nil {
		return ErrBadBackup
	}
	f.n++
	f.buf = plain
	return nil
}
