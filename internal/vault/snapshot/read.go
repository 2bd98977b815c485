package snapshot

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Check reads a whole snapshot and says whether it is sound. With a key it must also be sealed under it; without one, the sums
// alone are checked, as for a snapshot of a vault whose key is not at hand.
func Check(r io.Reader, key *crypt.Key) (Meta, error) {
	return read(r, key, func(storage.Entry) error { return nil })
}

// Each calls fn with every entry of a snapshot that Check has found sound.
func Each(r io.Reader, fn func(storage.Entry) error) error {
	_, err := read(r, nil, fn)
	return err
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func read(r io.Reader, key *crypt.Key, fn func(storage.Entry) error) (Meta, error) {
	var m Meta
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return m, invalid("it is no gzip archive")
	}
	archive := tar.NewReader(zipped)
	rawMeta, err := small(archive, metaName)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(rawMeta, &m); err != nil || m.Format < 1 {
		return m, invalid("%s does not say what it is", metaName)
	}
	if m.Format > format {
		return m, invalid("it was made by a newer version")
	}
	h, err := archive.Next()
	if err != nil || h.Name != stateName {
		return m, invalid("%s is missing", stateName)
	}
	sum := sha256.New()
	state := bufio.NewReaderSize(io.TeeReader(archive, sum), 64<<10)
	count, err := readState(state, fn)
	if err != nil {
		return m, err
	}
	if count != m.Entries {
		return m, invalid("it has %d entries and says that it has %d", count, m.Entries)
	}
	given, err := small(archive, sumsName)
	if err != nil {
		return m, err
	}
	if want := sumsText(sha256.Sum256(rawMeta), sum); subtle.ConstantTimeCompare(given, []byte(want)) != 1 {
		return m, invalid("the sums do not match")
	}
	sealed, err := small(archive, sealedName)
	if err != nil {
		return m, err
	}
	if _, err := io.Copy(io.Discard, zipped); err != nil { // which checks the archive's own sum
		return m, invalid("the archive is damaged")
	}
	if key == nil {
		return m, nil
	}
	opened, err := key.Open(sealed, sumsAAD)
	if errors.Is(err, crypt.ErrOpen) {
		return m, ErrForeign
	}
	if err != nil {
		return m, invalid("its seal cannot be read")
	}
	if !bytes.Equal(opened, given) {
		return m, invalid("the sums were changed")
	}
	return m, nil
}

// small reads the next member, which must have a name and be short.
func small(archive *tar.Reader, name string) ([]byte, error) {
	h, err := archive.Next()
	if err != nil || h.Name != name {
		return nil, invalid("%s is missing", name)
	}
	if h.Size > maxMeta {
		return nil, invalid("%s is too long", name)
	}
	b, err := io.ReadAll(archive)
	if err != nil {
		return nil, invalid("%s is cut short", name)
	}
	return b, nil
}

func readState(r *bufio.Reader, fn func(storage.Entry) error) (int, error) {
	for count := 0; ; count++ {
		key, err := readPiece(r, storage.MaxKey)
		if errors.Is(err, io.EOF) {
			return count, nil
		}
		if err != nil {
			return 0, err
		}
		value, err := readPiece(r, storage.MaxValue)
		if err != nil {
			return 0, invalid("an entry is cut short")
		}
		if err := fn(storage.Entry{Key: string(key), Value: value}); err != nil {
			return 0, err
		}
	}
}

// readPiece reads a length and as many bytes; io.EOF before the first of them.
func readPiece(r *bufio.Reader, limit uint64) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil || n > limit {
		return nil, invalid("an entry's length cannot be right")
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, invalid("an entry is cut short")
	}
	return b, nil
}
