// Package table holds the rows that a query brings back, within limits, and says what was left out.
package table

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// Column describes a column.
type Column struct {
	Name string `json:"name" jsonschema:"name of the column"`
	Type string `json:"type" jsonschema:"type, as the database calls it"`
}

// Result is what the model sees. Numbers beyond 2^53, decimals and times are text, so that nothing is rounded on the way;
// bytes are text in hexadecimal after \x; JSON and arrays are JSON.
type Result struct {
	Columns   []Column `json:"columns" jsonschema:"the columns of each row, in order"`
	Rows      [][]any  `json:"rows" jsonschema:"the rows; a cell is null, true, false, a number, text, or JSON where the column holds that. Integers beyond 2^53, decimals and times are text; bytes are hexadecimal after \\x"`
	RowCount  int      `json:"row_count" jsonschema:"how many rows are here"`
	Affected  int64    `json:"affected,omitempty" jsonschema:"how many rows a statement has changed"`
	Truncated bool     `json:"truncated" jsonschema:"whether something was left out"`
	Hint      string   `json:"hint,omitempty" jsonschema:"what was left out, and how to get it"`
	Warning   string   `json:"warning,omitempty" jsonschema:"what to know about the login or the result"`
}

// Builder collects rows until a limit is met.
type Builder struct {
	Result
	limits tool.Limits
	bytes  int
	cut    map[string]bool // columns of which a cell was cut
	full   string          // why no more rows are taken
}

// New returns an empty Builder.
func New(limits tool.Limits) *Builder {
	return &Builder{Result: Result{Columns: []Column{}, Rows: [][]any{}}, limits: limits, cut: map[string]bool{}}
}

// Full reports whether no more rows are taken.
func (b *Builder) Full() bool { return b.full != "" }

// Add takes a row whose cells are nil, bool, numbers, text, json.RawMessage or lists of these. It reports whether more rows
// are taken; a row beyond the limits is not.
func (b *Builder) Add(cells []any) bool {
	if b.Full() {
		return false
	}
	if len(b.Rows) >= b.limits.Rows {
		b.full = fmt.Sprintf("only the first %d rows are here; for more, narrow the query, or repeat it with a stable ORDER BY and LIMIT/OFFSET or a condition on the last key", b.limits.Rows)
		return false
	}
	size := 0
	for i, cell := range cells {
		cells[i] = b.fit(i, cell)
		size += weight(cells[i])
	}
	if b.bytes+size > b.limits.Object {
		b.full = fmt.Sprintf("only the first %d rows are here, since more would exceed %d bytes; select fewer columns or rows", len(b.Rows), b.limits.Object)
		return false
	}
	b.bytes += size
	b.Rows = append(b.Rows, cells)
	return true
}

// More says that rows exist beyond those that were added.
func (b *Builder) More() { b.Add(nil) }

// Done returns the result.
func (b *Builder) Done() Result {
	b.RowCount = len(b.Rows)
	var hints []string
	if b.full != "" {
		hints = append(hints, b.full)
	}
	if len(b.cut) > 0 {
		var names []string
		for _, c := range b.Columns {
			if b.cut[c.Name] {
				names = append(names, c.Name)
			}
		}
		hints = append(hints, fmt.Sprintf("cells of %s were cut at %d bytes; select parts of them, with substr or the like", strings.Join(names, ", "), b.limits.Body))
	}
	b.Truncated, b.Hint = len(hints) > 0, strings.Join(hints, "; ")
	return b.Result
}

// fit cuts a cell that is too long; one that is no text becomes text by that.
func (b *Builder) fit(i int, cell any) any {
	if weight(cell) <= b.limits.Body {
		return cell
	}
	text, ok := cell.(string)
	if !ok {
		encoded, err := json.Marshal(cell)
		if err != nil {
			encoded = []byte("a value that cannot be shown")
		}
		text = string(encoded)
	}
	name := strconv.Itoa(i + 1)
	if i < len(b.Columns) {
		name = b.Columns[i].Name
	}
	b.cut[name] = true
	return Cut(text, b.limits.Body)
}

// run is the most bytes that Cut gives up to end between words.
const run = 4096

// Cut shortens a text to at most limit bytes and says so in it. It ends between words where it can: half a secret is not
// recognised as one by what masks secrets, and secrets hold no spaces.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	for lowest := max(0, end-run); end > lowest; end-- {
		if c := text[end]; c == ' ' || c == '\n' || c == '\t' || c == ',' || c == '"' {
			break
		}
	}
	return fmt.Sprintf("%s … [cut: %d bytes in all]", strings.ToValidUTF8(text[:end], ""), len(text))
}

// weight is about how many bytes a cell takes as JSON.
func weight(cell any) int {
	switch x := cell.(type) {
	case string:
		return len(x) + 2
	case json.RawMessage:
		return len(x)
	case json.Number:
		return len(x)
	case []any:
		n := 2
		for _, e := range x {
			n += weight(e) + 1
		}
		return n
	default:
		return 8
	}
}

// Text is a cell of text, or of bytes if it is no UTF-8.
func Text(b []byte) any {
	if utf8.Valid(b) {
		return string(b)
	}
	return Bytes(b)
}

// Bytes is a cell of bytes.
func Bytes(b []byte) string { return fmt.Sprintf(`\x%x`, b) }

// JSON is a cell of JSON; what is none is text.
func JSON(b []byte) any {
	if json.Valid(b) {
		return json.RawMessage(append([]byte{}, b...))
	}
	return Text(b)
}

// Integer is a cell of an integer in decimal: a number if every reader of JSON has it exactly.
func Integer(text string) any {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > 1<<53 || n < -(1<<53) {
		return text
	}
	return n
}

// Float is a cell of a float in decimal: a number unless it is infinite or none.
func Float(text string) any {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return text
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}
