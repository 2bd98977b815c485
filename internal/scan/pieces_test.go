package scan_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/ArcadeLabsInc/zvault/internal/scan"
)

// patchwork is a text of secrets and harmless words, in short lines and in long ones.
func patchwork(r *rand.Rand, n int) string {
	all := corpus()
	var b strings.Builder
	for b.Len() < n {
		switch r.IntN(8) {
		case 0:
			b.WriteString(" " + value + " ")
		case 1:
			b.WriteString("\n" + all[r.IntN(len(all))].line() + "\n")
		case 2:
			b.WriteString(value + " zvault:allow\n")
		case 3:
			b.WriteString("\n" + all[r.IntN(len(all))].line() + " # gitleaks:allow\n")
		case 4:
			b.WriteString(strings.Repeat("ö𝄞x ", r.IntN(60)))
		default:
			b.WriteString("word\n")
		}
	}
	return b.String()
}

// as16 writes UTF-16 with a byte order mark.
func as16(order binary.AppendByteOrder, text string) []byte {
	out := order.AppendUint16(nil, 0xfeff)
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}

// A file that is scanned in pieces has the findings that it has as a whole, wherever the pieces meet and however it is read.
func TestFile_PiecesAreAsTheWhole(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // test data
	whole := ownScanner(t)
	pieces := ownScanner(t)
	total := 0
	for round := range 60 {
		text := patchwork(r, 6000)
		content := [][]byte{[]byte(text), as16(binary.LittleEndian, text), as16(binary.BigEndian, text), []byte("\x00" + text)}[round%4]
		want := whole.Bytes("config.txt", content)
		total += len(want)
		pieces.InPieces(500+r.IntN(1500), 500+r.IntN(300))
		for how, reader := range map[string]io.Reader{
			"as it comes": bytes.NewReader(content), "in halves": iotest.HalfReader(bytes.NewReader(content)), "with the end": iotest.DataErrReader(bytes.NewReader(content)),
		} {
			got, err := pieces.File(t.Context(), "config.txt", reader)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Fatalf("round %d, %s: %v: %s", round, how, err, diff)
			}
		}
	}
	if total < 500 {
		t.Errorf("only %d findings were compared", total)
	}
}

// A character of UTF-16 that the reader gets in two halves stays one, wherever they fall.
func TestFile_HalfCharacters(t *testing.T) {
	t.Parallel()
	s := ownScanner(t)
	s.InPieces(5000, 600)
	for shift := range 4 {
		content := as16(binary.LittleEndian, strings.Repeat("x", shift)+strings.Repeat("𝄞", 60_000)+value+"\n")
		got, err := s.File(t.Context(), "f", bytes.NewReader(content))
		if err != nil || len(got) != 1 || got[0].Column != shift+60_001 {
			t.Errorf("shifted by %d: %+v, %v", shift, got, err)
		}
	}
}

// At every place around the edge of a piece a secret is found once.
func TestFile_Edges(t *testing.T) {
	t.Parallel()
	s := ownScanner(t)
	const piece, overlap = 400, 300
	s.InPieces(piece, overlap)
	for at := piece - 2*len(value); at <= piece+overlap+2*len(value); at++ {
		for _, end := range []string{"", strings.Repeat(" ", 5000)} {
			got, err := s.File(t.Context(), "f", strings.NewReader(strings.Repeat(" ", at)+value+end))
			if err != nil || len(got) != 1 || got[0].Line != 1 || got[0].Column != at+1 {
				t.Fatalf("at %d: %+v, %v", at, got, err)
			}
		}
	}
}

// An excerpt masks its neighbours also where the next piece begins between them.
func TestFile_ExcerptMasksNeighbours(t *testing.T) {
	t.Parallel()
	s := ownScanner(t)
	s.InPieces(400, 300)
	for at := 380; at <= 420; at++ {
		got, err := s.File(t.Context(), "f", strings.NewReader(strings.Repeat(" ", at)+value+","+value+";"+value+strings.Repeat(" ", 3000)))
		if err != nil || len(got) != 3 {
			t.Fatalf("at %d: %d findings, %v", at, len(got), err)
		}
		for _, f := range got {
			if strings.Contains(f.Excerpt, value[:6]) || strings.Contains(f.Excerpt, value[len(value)-6:]) {
				t.Errorf("at %d: an excerpt holds a part of a value", at)
			}
		}
	}
}

// The overlap is more than the longest value, so none is cut by both pieces that hold a part of it.
func TestScanner_OverlapHoldsTheLongest(t *testing.T) {
	t.Parallel()
	long := letters(20, alnum, 400_000)
	s := scannerOf(t, newFinder(t, newPrinter(t), map[string]string{"LONG": long}))
	if s.Overlap() < 2*len(long) {
		t.Fatalf("an overlap of %d bytes for values of %d", s.Overlap(), len(long))
	}
	got, err := s.File(t.Context(), "f", strings.NewReader("\x00"+strings.Repeat(" ", scan.PieceSize-len(long)/2-1)+long+strings.Repeat(" ", scan.PieceSize)))
	if err != nil || len(got) != 1 || got[0].Column != scan.PieceSize-len(long)/2+1 {
		t.Errorf("%d findings, %v", len(got), err)
	}
}

// What was found before a file could not be read any further is kept, and the error with it.
func TestFile_Fails(t *testing.T) {
	t.Parallel()
	s := ownScanner(t)
	s.InPieces(400, 300)
	broken := errors.New("the disk is gone")
	got, err := s.File(t.Context(), "f", io.MultiReader(strings.NewReader(value+strings.Repeat(" ", 3000)), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || len(got) != 1 {
		t.Errorf("%d findings, %v", len(got), err)
	}
	for _, early := range []string{"", "\xff\xfe" + value} {
		if _, err := s.File(t.Context(), "f", io.MultiReader(strings.NewReader(early), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", len(early), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.File(ctx, "f", strings.NewReader(strings.Repeat(" ", 3000))); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// A binary file is read no further than to tell that it is one where only the rules are looked for, which do not apply.
func TestFile_BinaryWithoutVault(t *testing.T) {
	t.Parallel()
	s := scannerOf(t, nil)
	s.InPieces(400, 300)
	r := strings.NewReader("\x00" + strings.Repeat(corpus()[0].line()+"\n", 20_000))
	size := r.Len()
	got, err := s.File(t.Context(), "f", r)
	if err != nil || len(got) != 0 {
		t.Errorf("%d findings, %v", len(got), err)
	}
	if r.Len() < size/10 {
		t.Errorf("%d of %d bytes were left unread", r.Len(), size)
	}
}
