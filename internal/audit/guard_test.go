package audit_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/audit/file"
)

// must fails the test if err is not nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What is done to the file while it is open is noticed before the next entry, and the entry refused.
func TestLog_FileChangedUnderneath(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		do   func(t *testing.T, b *bench)
		want error
	}{
		"deleted":      {func(t *testing.T, b *bench) { must(t, os.Remove(b.path())) }, audit.ErrReplaced},
		"moved":        {func(t *testing.T, b *bench) { must(t, os.Rename(b.path(), b.path()+".1")) }, audit.ErrReplaced},
		"folder moved": {func(t *testing.T, b *bench) { must(t, os.Rename(b.dir, b.dir+".1")) }, audit.ErrReplaced},
		"replaced by a copy": {func(t *testing.T, b *bench) {
			content := b.read(t)
			must(t, os.Remove(b.path()))
			b.overwrite(t, content)
		}, audit.ErrReplaced},
		"link to nothing": {func(t *testing.T, b *bench) {
			must(t, os.Remove(b.path()))
			must(t, os.Symlink(os.DevNull, b.path()))
		}, file.ErrInsecure},
		"link to itself": {func(t *testing.T, b *bench) {
			must(t, os.Rename(b.path(), b.path()+".1"))
			must(t, os.Symlink(b.path()+".1", b.path()))
		}, file.ErrInsecure},
		"folder in its place": {func(t *testing.T, b *bench) {
			must(t, os.Remove(b.path()))
			must(t, os.Mkdir(b.path(), 0o700))
		}, file.ErrInsecure},
		"cut":           {func(t *testing.T, b *bench) { must(t, os.Truncate(b.path(), 100)) }, audit.ErrReplaced},
		"emptied":       {func(t *testing.T, b *bench) { must(t, os.Truncate(b.path(), 0)) }, audit.ErrReplaced},
		"open to group": {func(t *testing.T, b *bench) { must(t, os.Chmod(b.path(), 0o620)) }, file.ErrInsecure},
		"open to all":   {func(t *testing.T, b *bench) { must(t, os.Chmod(b.path(), 0o602)) }, file.ErrInsecure},
	}
	for name, c := range cases {
		if runtime.GOOS == "windows" {
			return // a file that is open can be neither removed nor renamed there
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			l := b.open(t)
			must(t, l.Record(t.Context(), entry(0)))
			c.do(t, b)
			wantIs(t, l.Record(t.Context(), entry(1)), audit.ErrUnavailable, c.want)
			wantIs(t, l.RecordFinal(t.Context(), entry(2)), audit.ErrUnavailable, c.want)
			wantIs(t, l.Close(), c.want)
		})
	}
}

// A file moved away and back is the same file.
func TestLog_MovedBack(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // see above
	}
	b := newBench(t)
	l := b.open(t)
	must(t, l.Record(t.Context(), entry(0)))
	must(t, os.Rename(b.path(), b.path()+".1"))
	wantIs(t, l.Record(t.Context(), entry(1)), audit.ErrUnavailable)
	must(t, os.Rename(b.path()+".1", b.path()))
	must(t, l.Record(t.Context(), entry(1)))
	must(t, l.Close())
	b.wantEntries(t, 2)
	b.verify(t)
}

// A process that starts finds out that the log is not the one that the vault remembers.
func TestLog_FirstRecordChecksAnchor(t *testing.T) {
	t.Parallel()
	cases := map[string]func(t *testing.T, b *bench, older []byte){
		"missing":     func(t *testing.T, b *bench, _ []byte) { must(t, os.Remove(b.path())) },
		"folder gone": func(t *testing.T, b *bench, _ []byte) { must(t, os.RemoveAll(b.dir)) },
		"emptied":     func(t *testing.T, b *bench, _ []byte) { b.overwrite(t, nil) },
		"older copy":  func(t *testing.T, b *bench, older []byte) { b.overwrite(t, older) },
		"last line gone": func(t *testing.T, b *bench, _ []byte) {
			lines := splitLines(b.read(t))
			b.overwrite(t, join(lines[:len(lines)-1]))
		},
		"last line cut": func(t *testing.T, b *bench, _ []byte) {
			content := b.read(t)
			b.overwrite(t, content[:len(content)-1])
		},
		"older copy continued": func(t *testing.T, b *bench, older []byte) {
			b.overwrite(t, older)
			b.crash(t, 9, 20)
		},
		"another log": func(t *testing.T, b *bench, _ []byte) {
			other := newBench(t)
			other.write(t, 0, 30)
			b.overwrite(t, other.read(t))
		},
		"another log of the same length": func(t *testing.T, b *bench, _ []byte) {
			other := newBench(t)
			other.write(t, 10, 12)
			other.write(t, 12, 13)
			b.overwrite(t, other.read(t))
		},
	}
	for name, do := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.write(t, 0, 2)
			older := b.read(t)
			b.write(t, 2, 3)
			do(t, b, older)
			l := b.open(t)
			head := *b.anchor.now()
			wantIs(t, l.Record(t.Context(), entry(3)), audit.ErrUnavailable, audit.ErrTampered)
			wantIs(t, l.RecordFinal(t.Context(), entry(3)), audit.ErrUnavailable, audit.ErrTampered)
			if *b.anchor.now() != head {
				t.Error("the evidence was overwritten")
			}
			_, err := audit.VerifyDir(t.Context(), b.dir, testSigner.Public(), &head)
			wantIs(t, err, audit.ErrBroken)
		})
	}
}

// Record fails while the anchor cannot be loaded, RecordFinal and Close while it cannot be stored.
func TestLog_AnchorFails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	failure := errors.New("database is locked")
	b.anchor.fail(failure)
	l := b.open(t)
	wantIs(t, l.Record(t.Context(), entry(0)), audit.ErrUnavailable, failure)
	if _, err := os.Stat(b.path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
	b.anchor.fail(nil)
	must(t, l.Record(t.Context(), entry(0)))
	b.anchor.fail(failure)
	wantIs(t, l.RecordFinal(t.Context(), entry(1)), audit.ErrUnavailable, failure)
	wantIs(t, l.Close(), failure)
	b.anchor.fail(nil)
	b.write(t, 2, 3)
	b.wantEntries(t, 3)
	b.verify(t)
}

// Where there should be a folder there is a file; the error says so.
func TestLog_NoFolder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dir = filepath.Join(b.dir, "audit")
	must(t, os.MkdirAll(filepath.Dir(filepath.Dir(b.dir)), 0o700))
	writeFile(t, filepath.Dir(b.dir), []byte("x"))
	wantIs(t, b.open(t).Record(t.Context(), entry(0)), audit.ErrUnavailable)
}
