package database

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/exchange"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// rowFormat is the format that is asked for: a line with the names, one with the types, and one for each row, all JSON
// lists. See "JSONCompactEachRowWithNamesAndTypes" in ClickHouse's documentation.
const rowFormat = "JSONCompactEachRowWithNamesAndTypes"

type clickhouseIn struct {
	Query      string            `json:"query" jsonschema:"one SQL statement, with {name:Type} for parameters"`
	Parameters map[string]string `json:"parameters,omitempty" jsonschema:"the values of the parameters by name, as text; zvault://KEY stands for the value of that secret"`
	Connection string            `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL of the HTTP interface, https://user:password@host:8443/database; CLICKHOUSE_URL unless given"`
	Env        string            `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
	AllowWrite bool              `json:"allow_write,omitempty" jsonschema:"lets the statement change things; the person may have to approve"`
}

func queryClickHouse(*state) (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "query_clickhouse", Title: "Query ClickHouse", Set: tool.Proxy,
		Text: "Runs one SQL statement on ClickHouse, over HTTP, with the URL in a secret, which nobody sees. Without allow_write it is run " +
			"with readonly=1, which the server enforces; what the login may read from elsewhere (url, s3, file) it may read then, too. A " +
			"long result is cut and says so.",
		Destructive: true, OpenWorld: true, Outside: true,
	}, runClickHouse)
}

func runClickHouse(ctx context.Context, c *tool.Call, in clickhouseIn) (table.Result, error) {
	if err := permitWrite(c, in.AllowWrite); err != nil {
		return table.Result{}, err
	}
	if strings.TrimSpace(in.Query) == "" {
		return table.Result{}, tool.Invalid("the statement is empty")
	}
	names, parameters := slices.Sorted(maps.Keys(in.Parameters)), []any{}
	statement := in.Query
	for _, name := range names {
		statement += "\n" + strconv.Quote(name)
		parameters = append(parameters, in.Parameters[name])
	}
	l, err := login.Open(ctx, c, login.Request{
		Tool: "query_clickhouse", Connection: in.Connection, Env: in.Env, Default: "CLICKHOUSE_URL",
		Schemes: map[string]int{"http": 8123, "https": 8443}, Write: in.AllowWrite, Statement: statement, Parameters: parameters,
	})
	if err != nil {
		return table.Result{}, err
	}
	values := url.Values{}
	for i, name := range names {
		values.Set("param_"+name, fmt.Sprint(l.Parameters[i]))
	}
	answer, err := sendClickHouse(ctx, l, c.Limits, in, values)
	if err != nil {
		return table.Result{}, clickhouseFailure(err)
	}
	return clickhouseRows(answer, c.Limits)
}

// sendClickHouse sends the statement with limits. A login that is read-only anyway may not set any: then, and only then, it
// is sent again without.
func sendClickHouse(ctx context.Context, l *login.Login, limits tool.Limits, in clickhouseIn, values url.Values) (*exchange.Answer, error) {
	if d := l.Database(); d != "" {
		values.Set("database", d)
	}
	values.Set("default_format", rowFormat)
	plain := l.WithoutPath()
	request := exchange.Request{
		Method: http.MethodPost, Path: "/", Body: []byte(in.Query), Most: login.MaxAnswer, Query: maps.Clone(values),
		Header: http.Header{"X-Clickhouse-User": {l.User}, "X-Clickhouse-Key": {string(l.Password.Reveal())}},
	}
	if l.User == "" {
		delete(request.Header, "X-Clickhouse-User")
	}
	for name, value := range map[string]string{
		"max_execution_time": strconv.FormatFloat((limits.Time * 9 / 10).Seconds(), 'f', -1, 64), "max_result_rows": strconv.Itoa(limits.Rows + 1),
		"result_overflow_mode": "break", "output_format_json_quote_64bit_integers": "1", "output_format_json_quote_decimals": "1",
	} {
		request.Query.Set(name, value)
	}
	if !in.AllowWrite {
		request.Query.Set("readonly", "1")
	}
	answer, err := exchange.Do(ctx, plain, limits, request)
	if code, text := clickhouseSaid(err); code == 164 && strings.Contains(text, "Cannot modify") && !in.AllowWrite {
		request.Query, request.Header = values, request.Header.Clone()
		return exchange.Do(ctx, plain, limits, request)
	}
	return answer, err
}

// clickhouseSaid is the server's own number of an error, 0 for none, and its text.
func clickhouseSaid(err error) (code int, text string) {
	var s *exchange.StatusError
	if !errors.As(err, &s) {
		return 0, ""
	}
	code, failed := strconv.Atoi(s.Header.Get("X-ClickHouse-Exception-Code"))
	if failed != nil {
		if _, after, ok := strings.Cut(s.Text, "Code: "); ok { // older ones say it in the text only
			digits, _, _ := strings.Cut(after, ".")
			code, failed = strconv.Atoi(digits)
		}
	}
	if failed != nil {
		return 0, s.Text
	}
	return code, s.Text
}

// clickhouseFailure sorts the server's errors; the numbers are those of its file ErrorCodes.
func clickhouseFailure(err error) error {
	code, text := clickhouseSaid(err)
	switch code {
	case 0:
		return exchange.Failure("ClickHouse", err)
	case 164: // READONLY
		return tool.Failed("denied", "ClickHouse: %s; this tool only reads unless the argument allow_write is true", text)
	case 192, 193, 194, 516: // unknown user, wrong password, authentication
		return tool.Failed("denied", "ClickHouse: %s; the person can check user and password in the secret", text)
	case 497: // ACCESS_DENIED
		return tool.Failed("denied", "ClickHouse: %s", text)
	case 159, 160: // TIMEOUT_EXCEEDED, TOO_SLOW
		return tool.Failed("timeout", "ClickHouse: %s; ask for less, or have the person raise the time limit", text)
	default:
		return tool.Failed("failed", "ClickHouse: %s", text)
	}
}

// clickhouseRows reads an answer. One in another format, as a statement may ask for, is one cell of text.
func clickhouseRows(a *exchange.Answer, limits tool.Limits) (table.Result, error) {
	b := table.New(limits)
	if len(a.Body) == 0 {
		return b.Done(), nil
	}
	if format := a.Header.Get("X-ClickHouse-Format"); format != "" && format != rowFormat {
		b.Columns = []table.Column{{Name: "text", Type: format}}
		b.Add([]any{table.Text(a.Body)})
		return b.Done(), nil
	}
	lines := bufio.NewScanner(bytes.NewReader(a.Body))
	lines.Buffer(nil, len(a.Body)+1)
	for n := 0; lines.Scan(); n++ {
		var cells []json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &cells); err != nil {
			if a.Cut {
				break
			}
			return table.Result{}, tool.Failed("failed", "ClickHouse: %s", table.Cut(strings.ToValidUTF8(lines.Text(), "?"), 2000))
		}
		if more, err := clickhouseLine(b, n, cells); err != nil || !more {
			return b.Done(), err
		}
	}
	if a.Cut {
		b.More()
	}
	return b.Done(), lines.Err()
}

// clickhouseLine takes the n-th line.
func clickhouseLine(b *table.Builder, n int, cells []json.RawMessage) (more bool, err error) {
	row := make([]any, len(cells))
	for i, cell := range cells {
		if n < 2 {
			var text string
			if err := json.Unmarshal(cell, &text); err != nil || n == 1 && len(cells) != len(b.Columns) {
				return false, tool.Failed("failed", "ClickHouse does not say what its columns are")
			}
			if n == 0 {
				b.Columns = append(b.Columns, table.Column{Name: text})
			} else {
				b.Columns[i].Type = text
			}
			continue
		}
		if row[i], err = clickhouseCell(cell); err != nil {
			return false, err
		}
	}
	if n < 2 {
		return true, nil
	}
	if len(cells) != len(b.Columns) {
		return false, tool.Failed("failed", "ClickHouse sends rows of another width than it has announced")
	}
	return b.Add(row), nil
}

// clickhouseCell makes texts of texts, so that they are cut as such; anything else stays the JSON that it is.
func clickhouseCell(cell json.RawMessage) (any, error) {
	if len(cell) == 0 || cell[0] != '"' {
		return append(json.RawMessage{}, cell...), nil
	}
	var text string
	if err := json.Unmarshal(cell, &text); err != nil {
		return nil, tool.Failed("failed", "ClickHouse sends text that cannot be read")
	}
	return text, nil
}
