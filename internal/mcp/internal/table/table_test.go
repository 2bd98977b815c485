package table_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

func TestCut(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s3cr3t", 20)
	long := strings.Repeat("word ", 10) + secret + strings.Repeat(" word", 10)
	for limit := range len(long) {
		got := table.Cut(long, limit)
		if strings.Contains(got, "s3c") && !strings.Contains(got, secret) {
			t.Fatalf("cut at %d bytes a part of a secret is left: %q", limit, got)
		}
		kept, _, _ := strings.Cut(got, " … [cut")
		if len(kept) > limit || !strings.HasPrefix(long, kept) {
			t.Fatalf("cut at %d bytes: %q", limit, got)
		}
	}
	if got := table.Cut(long, len(long)); got != long {
		t.Errorf("a text that fits was cut: %q", got)
	}
	for limit := range 40 {
		if got := table.Cut(strings.Repeat("ü€𝄞 ", 10), limit); !utf8.ValidString(got) {
			t.Errorf("cut at %d bytes: %q", limit, got)
		}
	}
}

func TestBuilder(t *testing.T) {
	t.Parallel()
	b := table.New(tool.Limits{Rows: 2, Body: 20, Object: 1000})
	b.Columns = []table.Column{{Name: "a"}, {Name: "b"}}
	row := func() []any { return []any{strings.Repeat("long ", 10), json.RawMessage(`[1,2,3,4,5,6,7,8,9,10]`)} }
	if !b.Add(row()) || !b.Add(row()) || b.Add(row()) {
		t.Error("two rows were wanted")
	}
	r := b.Done()
	if r.RowCount != 2 || !r.Truncated || !strings.Contains(r.Hint, "first 2 rows") || !strings.Contains(r.Hint, "cells of a, b") {
		t.Errorf("%+v", r)
	}
	if _, ok := r.Rows[0][1].(string); !ok {
		t.Errorf("JSON that is cut is no JSON, but %T", r.Rows[0][1])
	}
	small := table.New(tool.Limits{Rows: 10, Body: 100, Object: 50})
	if !small.Add([]any{strings.Repeat("x", 40)}) || small.Add([]any{strings.Repeat("x", 40)}) {
		t.Error("50 bytes were wanted")
	}
	if r := small.Done(); r.RowCount != 1 || !r.Truncated {
		t.Errorf("%+v", r)
	}
	if r := table.New(tool.DefaultLimits()).Done(); r.Truncated || r.Rows == nil || r.Columns == nil {
		t.Errorf("nothing is %+v", r)
	}
}

func TestCells(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]any{
		`9007199254740992`: table.Integer("9007199254740992"), `"9007199254740993"`: table.Integer("9007199254740993"),
		`-1`: table.Integer("-1"), `"x"`: table.Integer("x"), `1e+30`: table.Float("1e30"), `"NaN"`: table.Float("NaN"), `"-inf"`: table.Float("-inf"),
		`"\\xff"`: table.Text([]byte{0xff}), `"ü"`: table.Text([]byte("ü")), `{"a":1}`: table.JSON([]byte(`{"a":1}`)), `"{"`: table.JSON([]byte(`{`)),
	} {
		text, err := json.Marshal(got)
		if err != nil || string(text) != want {
			t.Errorf("%v is %s, want %s (%v)", got, text, want, err)
		}
	}
}
