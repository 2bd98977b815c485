// Package scan finds secrets in files and in git: by the rules of gitleaks, and by keyed fingerprints of the values that the vault
// itself holds, for which no value has to be opened.
//
// Start with [New] and [Scanner.Dir], [Scanner.Repository], [Scanner.Staged] or [Scanner.History]. A [Finding] never holds the
// secret, and no other secret that was found beside it. Findings come in the order of the files' names and of their places.
//
// # What is looked at
//
// Every regular file below the folder except in .git, node_modules, .terraform, __pycache__ and .venv; also what git ignores, for
// a forgotten plaintext lies there as often as not ([Scanner.Repository] leaves that out). Symbolic links below the folder are not
// followed, archives not opened. Files of more than [PieceSize] bytes are scanned in pieces, with the same findings. In a binary file
// only the vault's own values and file names are looked for. UTF-16 with a byte order mark is read as text.
//
// # What is passed over
//
// A line with zvault:allow or gitleaks:allow in it, by the rules but not by the fingerprints: a value of the vault in a file is a
// leak whatever the line says. And findings whose [Finding.Fingerprint] stands on a line of .zvaultignore or .gitleaksignore in
// the folder that is scanned, of both kinds.
package scan

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finding is a secret in a file.
type Finding struct {
	// Rule is the id of the rule of gitleaks, or OwnRule for a value of the vault.
	Rule        string `json:"rule"`
	Description string `json:"description"`
	File        string `json:"file"` // relative to what was scanned, with forward slashes
	// Line counts from 1.
	Line int `json:"line"`
	// Column is in characters, from 1.
	Column int `json:"column"`
	// Commit is the first one, in the order of History, that has the file with this content; empty elsewhere.
	Commit string `json:"commit,omitempty"`
	// Secret is the address of the vault's secret, for OwnRule.
	Secret string `json:"secret,omitempty"`
	// Excerpt is the line around the secret, with everything found in it masked.
	Excerpt string `json:"excerpt"`
	// Fingerprint names the finding in an ignore file: FILE:RULE:LINE, with COMMIT: before it in a history.
	Fingerprint string `json:"fingerprint"`
}

// OwnRule is the rule of findings by fingerprint.
const OwnRule = "zvault-value"

// Scanner holds the rules and fingerprints. It is safe for concurrent use.
type Scanner struct {
	rules *ruleSet
	own   *Finder
	// piece is how many bytes are scanned at once, overlap how many more a piece holds on either side.
	piece, overlap int
}

// New makes a Scanner; own may be nil.
func New(own *Finder) (*Scanner, error) {
	rules, err := loadRules()
	if err != nil {
		return nil, fmt.Errorf("loading the rules: %w", err)
	}
	return &Scanner{rules: rules, own: own, piece: PieceSize, overlap: overlapFor(own)}, nil
}

// Bytes scans the content of one file, of whatever length, as a whole. The name is relative, with forward slashes; some rules look
// at it.
func (s *Scanner) Bytes(name string, content []byte) []Finding {
	t := newText(name, decode(content))
	t.binary = isBinary(t.content)
	return t.findings(s.hits(t), 0, len(t.content)+1)
}

// hits lists what is in a text, by place.
func (s *Scanner) hits(t *text) []hit {
	hits := s.rules.find(t)
	if s.own != nil {
		for _, h := range s.own.Find(t.content) {
			hits = append(hits, hit{rule: OwnRule, description: "a value that the vault holds (" + h.Form + ")", start: h.Start, end: h.End, secret: h.Secret})
		}
	}
	hits = dropGeneric(hits)
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(a.start-b.start, strings.Compare(a.rule, b.rule), strings.Compare(a.secret, b.secret), b.end-a.end)
	})
	return slices.CompactFunc(hits, func(a, b hit) bool { return a.start == b.start && a.rule == b.rule && a.secret == b.secret })
}

// hit is a secret at bytes start to end of a text.
type hit struct {
	rule, description string
	start, end        int
	secret            string
}

// dropGeneric leaves out what a rule for any kind of secret found where a rule for its kind, or a fingerprint, found it too.
func dropGeneric(hits []hit) []hit {
	generic := func(h hit) bool { return strings.HasPrefix(h.rule, "generic") }
	var exact []hit
	for _, h := range hits {
		if !generic(h) {
			exact = append(exact, h)
		}
	}
	return slices.DeleteFunc(hits, func(h hit) bool {
		return generic(h) && slices.ContainsFunc(exact, func(o hit) bool { return h.start < o.end && o.start < h.end })
	})
}

// isBinary tells as git does.
func isBinary(content []byte) bool { return bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0 }
