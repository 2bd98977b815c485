package scan

import (
	"bytes"
	"context"
	"io"
	"unicode/utf8"
)

const (
	// PieceSize is how many bytes of a file are scanned at once: a larger one is read in pieces, for which the memory of a few is
	// enough whatever its size.
	PieceSize = 10 << 20
	// margin is how much more than the longest value of the vault a piece holds on either side of what it is searched for. What
	// the rules find is shorter by far; only a private key of more than this would be missed where two pieces meet.
	margin = 64 << 10
)

// Each piece holds some of its neighbours, so that nothing on an edge is missed:
//
//	|             |======== searched ========|             |
//	|<- overlap ->|<------- PieceSize ------>|<- overlap ->|
//
// A finding belongs to the piece in whose searched part it begins, so each is reported once. The overlap is twice the longest form
// of a value and margin: a secret that begins at the end of the searched part is whole, and so is one beside it, which the excerpt
// has to mask.
func overlapFor(own *Finder) int {
	if own == nil {
		return margin
	}
	return margin + 2*own.longest
}

// file scans what r reads as the content of one file. With an error come the findings up to it.
func (s *Scanner) file(ctx context.Context, name string, r io.Reader) ([]Finding, error) {
	head, err := io.ReadAll(io.LimitReader(r, int64(s.piece)+1))
	if err != nil {
		return nil, err
	}
	if len(head) <= s.piece {
		return s.Bytes(name, head), nil
	}
	return s.pieces(ctx, name, decoding(io.MultiReader(bytes.NewReader(head), r)))
}

// pieces scans a text of any length.
func (s *Scanner) pieces(ctx context.Context, name string, r io.Reader) ([]Finding, error) {
	var (
		all   []Finding
		buf   = make([]byte, s.piece+2*s.overlap+utf8.UTFMax)
		held  int // bytes of buf that hold text
		from  int // where the part that is searched begins
		above place
		first = true
		kind  bool
	)
	for ctx.Err() == nil {
		n, err := io.ReadFull(r, buf[held:min(len(buf), from+s.piece+s.overlap)])
		held += n
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return all, err
		}
		if first {
			kind, first = isBinary(buf[:held]), false
		}
		to := from + s.piece
		if last {
			to = held
		}
		t := newText(name, buf[:held])
		t.above, t.binary = above, kind
		all = append(all, t.findings(s.hits(t), from, to)...)
		if last || kind && s.own == nil { // a binary file has nothing more to be looked for
			return all, nil
		}
		cut := max(0, to-s.overlap)
		for cut > 0 && to-cut < s.overlap+utf8.UTFMax && !utf8.RuneStart(buf[cut]) {
			cut-- // a character that is cut in two would count as more than one
		}
		above = above.behind(buf[:cut])
		held = copy(buf, buf[cut:held])
		from = to - cut
	}
	return all, ctx.Err()
}

// place is how much of a file lies above a piece of it.
type place struct {
	lines int
	runes int // of the line that the piece begins in
}

// behind is the place at the end of a text that begins at p.
func (p place) behind(text []byte) place {
	if n := bytes.Count(text, []byte{'\n'}); n > 0 {
		p = place{lines: p.lines + n}
		text = text[bytes.LastIndexByte(text, '\n')+1:]
	}
	p.runes += utf8.RuneCount(text)
	return p
}
