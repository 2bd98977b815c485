package audit

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

// Format is what Export writes.
type Format string

// The formats of Export.
const (
	JSON Format = "json" // JSON lines: the members of the log's lines, without its hashes
	CSV  Format = "csv"  // RFC 4180 with a header, every cell quoted
)

// columns are the header of a CSV export.
var columns = [...]string{"seq", "time", "actor_kind", "actor_id", "actor_name", "client_kind", "client_name",
	"client_version", "client_pid", "action", "org", "project", "environment", "keys", "revision", "outcome", "reason",
	"request", "digests"}

// Export writes entries to w and stops at their first error. In CSV, lists are joined by spaces, and a cell that a
// spreadsheet would take for a formula is led in by an apostrophe.
func Export(w io.Writer, format Format, entries iter.Seq2[Entry, error]) error {
	if format != JSON && format != CSV {
		return fmt.Errorf("exporting the audit log: unknown format %q", string(format))
	}
	out := bufio.NewWriter(w)
	var line []byte
	if format == CSV {
		line = appendRow(line, columns[:])
	}
	for e, err := range entries {
		if err != nil {
			return fmt.Errorf("exporting the audit log: %w", err)
		}
		if format == CSV {
			line = appendCSV(line, &e)
		} else {
			line = appendJSON(line, &e)
		}
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("exporting the audit log: %w", err)
		}
		line = line[:0]
	}
	if _, err := out.Write(line); err != nil { // the header, if there was no entry
		return fmt.Errorf("exporting the audit log: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("exporting the audit log: %w", err)
	}
	return nil
}

func appendJSON(dst []byte, e *Entry) []byte {
	dst = append(strconv.AppendUint(append(dst, `{"seq":`...), e.Seq, 10), ',')
	return append(record.AppendEntry(dst, e), "}\n"...)
}

func appendCSV(dst []byte, e *Entry) []byte {
	return appendRow(dst, []string{
		strconv.FormatUint(e.Seq, 10), e.Time.UTC().Format(time.RFC3339Nano),
		string(e.Actor.Kind), e.Actor.ID, e.Actor.Name,
		string(e.Client.Kind), e.Client.Name, e.Client.Version, number(uint64(e.Client.PID)),
		e.Action, e.Org, e.Project, e.Environment, strings.Join(e.Keys, " "), number(e.Revision),
		string(e.Outcome), e.Reason, e.Request, joinDigests(e.Digests),
	})
}

// number returns n in decimal, "" for 0.
func number(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func joinDigests(digests map[string]string) string {
	pairs := make([]string, 0, len(digests))
	for field, d := range digests {
		pairs = append(pairs, field+"="+d)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, " ")
}

// appendRow appends a row of cells.
func appendRow(dst []byte, cells []string) []byte {
	for i, c := range cells {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		if formula(c) {
			dst = append(dst, '\'')
		}
		dst = append(append(dst, strings.ReplaceAll(c, `"`, `""`)...), '"')
	}
	return append(dst, "\r\n"...)
}

// formula reports whether a spreadsheet may take cell for a formula. The signs are those that OWASP's page on CSV
// injection lists, their full-width forms too, also behind white space that a program may strip.
func formula(cell string) bool {
	if cell != "" && strings.ContainsRune("\t\r\n", rune(cell[0])) {
		return true
	}
	for _, r := range strings.TrimSpace(cell) {
		return strings.ContainsRune("=+-@＝＋－＠|%", r)
	}
	return false
}
