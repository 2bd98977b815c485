package postgres

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgtype"
)

// Whatever a server calls an array is read, or refused as a whole.
func FuzzArray(f *testing.F) {
	for _, text := range []string{"{}", "{1,2,NULL}", `{"a b","c\"d\\"}`, "{{1,2},{3,4}}", "[2:3]={a,b}", "{a,", `{"`, "{{{{{{{{1}}}}}}}}", "[1:2]", "{NULL,\"NULL\"}"} {
		f.Add(text)
	}
	text := builtins()[pgtype.TextArrayOID]
	f.Fuzz(func(t *testing.T, s string) {
		v, err := array(s, text)
		if err != nil {
			if !errors.Is(err, errArray) || v != nil {
				t.Errorf("%q: %v, %v", s, v, err)
			}
			return
		}
		if strings.Count(s, "{") == 0 {
			t.Errorf("%q has no brace and is read as %v", s, v)
		}
	})
}

func TestArray(t *testing.T) {
	t.Parallel()
	text := builtins()[pgtype.TextArrayOID]
	for s, want := range map[string]any{
		`{}`: []any{}, `{a,NULL,"NULL"}`: []any{"a", nil, "NULL"}, `{"a b","c\"d\\"}`: []any{"a b", `c"d\`}, `[2:3]={a,b}`: []any{"a", "b"},
		`{{a,b},{c,d}}`: []any{[]any{"a", "b"}, []any{"c", "d"}},
	} {
		got, err := array(s, text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", s, err, diff)
		}
	}
	for _, s := range []string{"", "{", "{a", `{"a`, "{a}b", "[1:2]", "a", "{a b}}"} {
		if v, err := array(s, text); err == nil {
			t.Errorf("%q is read as %v", s, v)
		}
	}
}
