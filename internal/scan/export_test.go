package scan

import (
	"context"
	"io"
)

// Mentioned tells of each list of keywords whether one of them occurs in content.
func Mentioned(lists [][]string, content []byte) []bool {
	k := newKeywords()
	for i, words := range lists {
		k.add(i, words)
	}
	return k.in(content, len(lists))
}

// Files scans the paths given below root.
func (s *Scanner) Files(ctx context.Context, root string, paths ...string) ([]Finding, error) {
	return s.files(ctx, root, paths, nil)
}

// InPieces has files of more bytes than piece scanned in such pieces.
func (s *Scanner) InPieces(piece, overlap int) { s.piece, s.overlap = piece, overlap }

// File scans the content of a file as it is read.
func (s *Scanner) File(ctx context.Context, name string, r io.Reader) ([]Finding, error) {
	return s.file(ctx, name, r)
}

// Overlap is how many bytes a piece holds of each neighbour.
func (s *Scanner) Overlap() int { return s.overlap }

// RuleCount is how many rules the scanner has.
func (s *Scanner) RuleCount() int { return len(s.rules.rules) }
