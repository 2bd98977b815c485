package transcripts

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

func isSQLite(head []byte) bool { return bytes.HasPrefix(head, []byte("SQLite format 3\x00")) }

// database looks through every cell of a SQLite database, which is opened to be read only; its program may be writing to it.
func (s *Search) database(ctx context.Context, path string, t *tally) (err error) {
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: "mode=ro&_pragma=busy_timeout(2000)&_pragma=query_only(1)&_pragma=trusted_schema(0)"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	tables, err := tablesOf(ctx, db)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if err := s.table(ctx, db, table, t); err != nil {
			return fmt.Errorf("reading table %q: %w", table, err)
		}
	}
	return nil
}

func tablesOf(ctx context.Context, db *sql.DB) (names []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

func (s *Search) table(ctx context.Context, db *sql.DB, table string, t *tally) (err error) {
	rows, err := db.QueryContext(ctx, `SELECT * FROM "`+strings.ReplaceAll(table, `"`, `""`)+`"`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	cells := make([]sql.RawBytes, len(columns))
	into := make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for row := 1; rows.Next(); row++ {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, cell := range cells {
			if err := s.cell(cell, fmt.Sprintf("%s.%s row %d", table, columns[i], row), t); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// cell looks through one cell, which may be compressed.
func (s *Search) cell(cell []byte, place string, t *tally) error {
	content := cell
	if len(cell) > 4 && (isZstd(cell) || bytes.HasPrefix(cell, []byte{0x1f, 0x8b})) {
		r, err := expand(bytes.NewReader(cell), cell[:4])
		if err == nil {
			if content, err = io.ReadAll(r); err != nil {
				content = cell // it only looked compressed
			}
		}
	}
	for _, h := range s.Finder.Find(content) {
		t.add(h, 0, place, timeOf(lineAround(content, h.Start)))
	}
	return nil
}
