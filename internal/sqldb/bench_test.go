package sqldb_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
)

// BenchmarkOpen opens an existing file, asks for one of 1000 rows and closes: what a command of the CLI pays.
func BenchmarkOpen(b *testing.B) {
	ctx := context.Background()
	path := filepath.Join(b.TempDir(), "vault.db")
	if err := fill(b, path, 1000).Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db, err := sqldb.OpenSQLite(ctx, path, sqldb.Options{MustExist: true})
		if err != nil {
			b.Fatal(err)
		}
		var value []byte
		err = db.View(ctx, func(q sqldb.Querier) error {
			return q.QueryRowContext(ctx, `SELECT v FROM t WHERE k = $1`, "key-0500").Scan(&value)
		})
		if err != nil || len(value) != 200 {
			b.Fatal(len(value), err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead1000 reads 1000 rows of a text and 200 bytes.
func BenchmarkRead1000(b *testing.B) {
	ctx := context.Background()
	db := fill(b, filepath.Join(b.TempDir(), "vault.db"), 1000)
	for b.Loop() {
		count := 0
		err := db.View(ctx, func(q sqldb.Querier) error {
			rows, err := q.QueryContext(ctx, `SELECT k, v FROM t ORDER BY k`)
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
				var key string
				var value []byte
				if err := rows.Scan(&key, &value); err != nil {
					return err
				}
				count++
			}
			return rows.Err()
		})
		if err != nil || count != 1000 {
			b.Fatal(count, err)
		}
	}
}

// BenchmarkViewOne reads one row of 1000.
func BenchmarkViewOne(b *testing.B) {
	ctx := context.Background()
	db := fill(b, filepath.Join(b.TempDir(), "vault.db"), 1000)
	for b.Loop() {
		var value []byte
		err := db.View(ctx, func(q sqldb.Querier) error {
			return q.QueryRowContext(ctx, `SELECT v FROM t WHERE k = $1`, "key-0500").Scan(&value)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpdate writes one row durably.
func BenchmarkUpdate(b *testing.B) {
	ctx := context.Background()
	db := fill(b, filepath.Join(b.TempDir(), "vault.db"), 1000)
	for b.Loop() {
		err := db.Update(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE t SET v = $1 WHERE k = $2`, make([]byte, 200), "key-0500")
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// fill makes a database with n rows.
func fill(b *testing.B, path string, n int) *sqldb.DB {
	ctx := context.Background()
	db, err := sqldb.OpenSQLite(ctx, path, sqldb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	err = db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY, v BYTEA NOT NULL)`); err != nil {
			return err
		}
		for i := range n {
			_, err := tx.ExecContext(ctx, `INSERT INTO t VALUES ($1, $2)`, fmt.Sprintf("key-%04d", i), make([]byte, 200))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}
