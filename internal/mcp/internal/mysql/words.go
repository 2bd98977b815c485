package mysql

import (
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// reading are the words that a statement without Write begins with.
func reading() []string {
	return []string{"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN"}
}

// check refuses what a read-only transaction would let pass. Words cannot be written in another way in MySQL: it knows no
// escapes for them. Words in literals and comments count too, which is to the safe side.
func (st Statement) check() error {
	if st.Write {
		return nil
	}
	words := words(st.SQL)
	if len(words) == 0 {
		return tool.Invalid("the statement is empty")
	}
	start := strings.TrimLeft(st.SQL, " \t\r\n(")
	if !slices.Contains(reading(), words[0]) || !strings.EqualFold(start[:min(len(start), len(words[0]))], words[0]) {
		return tool.Failed("denied", "without allow_write a statement begins with one of %s, and not with a comment", strings.Join(reading(), ", "))
	}
	for _, w := range words {
		if w == "OUTFILE" || w == "DUMPFILE" || w == "LOAD_FILE" {
			return tool.Failed("denied", "%s writes or reads files of the server; it needs allow_write", w)
		}
	}
	return nil
}

// words are the words of a text in upper case.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToUpper(text), func(r rune) bool {
		return r != '_' && r != '$' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r < 0x80
	})
}
