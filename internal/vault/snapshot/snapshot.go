// Package snapshot writes all that a vault stores into one archive, and reads it back. Entries are copied as they are stored,
// which is sealed: a snapshot without the vault's key is of no use to anybody.
//
// The archive is a gzipped tar, in whose shape Vault's clients look for completeness:
//
//	meta.json           what made it and when
//	state.bin           the entries: length of key, key, length of value, value; lengths as unsigned varints
//	SHA256SUMS          the sums of both
//	SHA256SUMS.sealed   SHA256SUMS, sealed under a key of the vault
package snapshot

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

var (
	// ErrInvalid is returned for what is no snapshot, or one that is damaged or cut short.
	ErrInvalid = errors.New("not a whole snapshot")
	// ErrForeign is returned for a snapshot that another vault's key has sealed.
	ErrForeign = errors.New("the snapshot is of another vault")
)

const (
	metaName   = "meta.json"
	stateName  = "state.bin"
	sumsName   = "SHA256SUMS"
	sealedName = "SHA256SUMS.sealed"

	format  = 1
	page    = 1000 // entries that are read at once
	maxMeta = 64 << 10
)

var sumsAAD = crypt.AAD("snapshot", sumsName)

// Meta says what a snapshot is of.
type Meta struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
	Version string    `json:"version"` // of the program that made it
	Entries int       `json:"entries"`
	Bytes   int64     `json:"bytes"` // of state.bin
}

// Write writes a snapshot of what r reads, which must be one consistent state: it is read twice, as the archive says first
// how long it is.
func Write(ctx context.Context, w io.Writer, r storage.Reader, key *crypt.Key, m Meta) error {
	m.Format = format
	size := &counter{}
	var err error
	if m.Entries, err = writeState(ctx, size, r); err != nil {
		return err
	}
	m.Bytes = size.n
	meta, err := json.Marshal(m)
	if err != nil {
		return err
	}
	zipped := gzip.NewWriter(w)
	archive := tar.NewWriter(zipped)
	add := func(name string, content []byte) error {
		return errors.Join(archive.WriteHeader(header(name, int64(len(content)), m.Created)), writeAll(archive, content))
	}
	if err := add(metaName, meta); err != nil {
		return fmt.Errorf("writing a snapshot: %w", err)
	}
	if err := archive.WriteHeader(header(stateName, m.Bytes, m.Created)); err != nil {
		return fmt.Errorf("writing a snapshot: %w", err)
	}
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(archive, sum), 64<<10)
	if _, err := writeState(ctx, out, r); err != nil {
		return fmt.Errorf("writing a snapshot: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing a snapshot: %w", err)
	}
	sums := sumsText(sha256.Sum256(meta), sum)
	sealed, err := key.Seal([]byte(sums), sumsAAD)
	if err != nil {
		return fmt.Errorf("sealing a snapshot: %w", err)
	}
	err = errors.Join(add(sumsName, []byte(sums)), add(sealedName, sealed), archive.Close(), zipped.Close())
	if err != nil {
		return fmt.Errorf("writing a snapshot: %w", err)
	}
	return nil
}

func sumsText(meta [sha256.Size]byte, state hash.Hash) string {
	return fmt.Sprintf("%s  %s\n%s  %s\n", hex.EncodeToString(meta[:]), metaName, hex.EncodeToString(state.Sum(nil)), stateName)
}

func header(name string, size int64, at time.Time) *tar.Header {
	return &tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
}

func writeAll(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}

// counter counts what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

// writeState writes all entries and returns how many they are.
func writeState(ctx context.Context, w io.Writer, r storage.Reader) (int, error) {
	count, after := 0, ""
	var buffer []byte
	for {
		entries, err := r.Scan(ctx, "", after, page)
		if err != nil {
			return 0, fmt.Errorf("reading the storage: %w", err)
		}
		for _, e := range entries {
			buffer = binary.AppendUvarint(buffer[:0], uint64(len(e.Key)))
			buffer = append(buffer, e.Key...)
			buffer = binary.AppendUvarint(buffer, uint64(len(e.Value)))
			buffer = append(buffer, e.Value...)
			if err := writeAll(w, buffer); err != nil {
				return 0, err
			}
			after = e.Key
		}
		count += len(entries)
		if len(entries) < page {
			return count, nil
		}
	}
}
