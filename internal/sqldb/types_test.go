package sqldb_test

import (
	"bytes"
	"database/sql"
	"math"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
)

// everyByte has all 256 bytes.
func everyByte() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

// TestTypes stores values that an affinity or a conversion could change, in the four column types that one migration
// uses on both databases.
func TestTypes(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *sqldb.DB) {
		run(t, db, `CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, bytes BYTEA NOT NULL, text TEXT NOT NULL,
			number BIGINT NOT NULL, truth BOOLEAN NOT NULL, maybe BYTEA, perhaps TEXT, count BIGINT, whether BOOLEAN)`)
		for id, c := range []struct {
			bytes  []byte
			text   string
			number int64
			truth  bool
		}{
			{everyByte(), "plain", 0, false},
			{[]byte{}, "", 1, true},
			{[]byte("123"), "007", math.MaxInt64, true},
			{[]byte("1e3"), "1e3", math.MinInt64, false},
			{[]byte(`\x41`), "0x10", -1, true},
			{[]byte{0}, "true", 1 << 53, true},
			{[]byte("NULL"), "\u00e9\U0001f600 \t\n'\"\\ $1 ?", 1<<53 + 1, false},
			{bytes.Repeat([]byte{0xff}, 1<<20), strings.Repeat("9", 1<<16), 42, true},
		} {
			run(t, db, `INSERT INTO t (id, bytes, text, number, truth) VALUES ($1, $2, $3, $4, $5)`,
				id, c.bytes, c.text, c.number, c.truth)
			var got struct {
				bytes   []byte
				text    string
				number  int64
				truth   bool
				maybe   []byte
				perhaps sql.NullString
				count   sql.NullInt64
				whether sql.NullBool
			}
			err := db.View(t.Context(), func(q sqldb.Querier) error {
				return q.QueryRowContext(t.Context(), `SELECT bytes, text, number, truth, maybe, perhaps, count, whether
					FROM t WHERE bytes = $1 AND text = $2 AND number = $3 AND truth = $4`, c.bytes, c.text, c.number, c.truth).
					Scan(&got.bytes, &got.text, &got.number, &got.truth, &got.maybe, &got.perhaps, &got.count, &got.whether)
			})
			if err != nil {
				t.Fatalf("row %d: %v", id, err)
			}
			if !bytes.Equal(got.bytes, c.bytes) || got.text != c.text || got.number != c.number || got.truth != c.truth {
				t.Errorf("row %d: got %.40q %.40q %d %v, want %.40q %.40q %d %v", id,
					got.bytes, got.text, got.number, got.truth, c.bytes, c.text, c.number, c.truth)
			}
			if got.maybe != nil || got.perhaps.Valid || got.count.Valid || got.whether.Valid {
				t.Errorf("row %d: columns that were not set are %+v", id, got)
			}
		}
	})
}

// TestNullIsNotEmpty keeps nil and empty bytes apart.
func TestNullIsNotEmpty(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *sqldb.DB) {
		run(t, db, `CREATE TABLE t (id BIGINT NOT NULL, v BYTEA)`)
		run(t, db, `INSERT INTO t VALUES (1, $1)`, []byte(nil))
		run(t, db, `INSERT INTO t VALUES (2, $1)`, []byte{})
		if id := readInt(t, db, `SELECT id FROM t WHERE v IS NULL`); id != 1 {
			t.Errorf("row %d is NULL, want 1", id)
		}
		if id := readInt(t, db, `SELECT id FROM t WHERE v IS NOT NULL`); id != 2 {
			t.Errorf("row %d is not NULL, want 2", id)
		}
	})
}

// TestViolations tells the kinds of failing statements apart.
func TestViolations(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *sqldb.DB) {
		run(t, db, `CREATE TABLE parent (id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE)`)
		run(t, db, `CREATE TABLE child (id BIGINT NOT NULL REFERENCES parent (id))`)
		run(t, db, `INSERT INTO parent VALUES (1, 'a')`)
		run(t, db, `INSERT INTO child VALUES (1)`)
		for _, c := range []struct {
			query                    string
			unique, foreign, noTable bool
		}{
			{`INSERT INTO parent VALUES (1, 'b')`, true, false, false},
			{`INSERT INTO parent VALUES (2, 'a')`, true, false, false},
			{`UPDATE parent SET id = 1 WHERE id = 1`, false, false, false},
			{`INSERT INTO child VALUES (7)`, false, true, false},
			{`DELETE FROM parent`, false, true, false},
			{`INSERT INTO parent VALUES (3, NULL)`, false, false, false},
			{`INSERT INTO missing VALUES (1)`, false, false, true},
			{`INSERT no sense`, false, false, false},
		} {
			err := tryRun(t.Context(), db, c.query)
			if sqldb.IsUniqueViolation(err) != c.unique || sqldb.IsForeignKeyViolation(err) != c.foreign ||
				sqldb.IsNoTable(err) != c.noTable {
				t.Errorf("%s: %v", c.query, err)
			}
			if err != nil && sqldb.Classify(err) != err {
				t.Errorf("%s: classified as %v", c.query, sqldb.Classify(err))
			}
		}
	})
}
