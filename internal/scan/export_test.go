package scan

import "context"

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

// RuleCount is how many rules the scanner has.
func (s *Scanner) RuleCount() int { return len(s.rules.rules) }
