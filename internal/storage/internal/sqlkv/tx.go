package sqlkv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/storage/internal/keyspace"
)

// tx is a transaction; View's refuses to write.
type tx struct{ q sqldb.Querier }

func (t *tx) Get(ctx context.Context, key string) ([]byte, error) {
	if err := keyspace.Check(key); err != nil {
		return nil, err
	}
	var value []byte
	err := t.q.QueryRowContext(ctx, `SELECT v FROM kv WHERE k = $1`, []byte(key)).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, storage.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading key %q: %w", key, ToStorage(err))
	}
	return filled(value), nil
}

func (t *tx) Put(ctx context.Context, key string, value []byte) error {
	if err := keyspace.CheckEntry(key, value); err != nil {
		return err
	}
	_, err := t.q.ExecContext(ctx,
		`INSERT INTO kv (k, v) VALUES ($1, $2) ON CONFLICT (k) DO UPDATE SET v = excluded.v`, []byte(key), filled(value))
	if err != nil {
		return fmt.Errorf("writing key %q: %w", key, ToStorage(err))
	}
	return nil
}

func (t *tx) Delete(ctx context.Context, key string) error {
	if err := keyspace.Check(key); err != nil {
		return err
	}
	if _, err := t.q.ExecContext(ctx, `DELETE FROM kv WHERE k = $1`, []byte(key)); err != nil {
		return fmt.Errorf("deleting key %q: %w", key, ToStorage(err))
	}
	return nil
}

func (t *tx) Scan(ctx context.Context, prefix, after string, limit int) ([]storage.Entry, error) {
	var entries []storage.Entry
	err := t.each(ctx, "k, v", prefix, keyspace.Start(prefix, after), limit, func(rows *sql.Rows) error {
		var key, value []byte
		if err := rows.Scan(&key, &value); err != nil {
			return err
		}
		entries = append(entries, storage.Entry{Key: string(key), Value: filled(value)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

func (t *tx) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	return keyspace.List(prefix, after, limit, func(from string, limit int) ([]string, error) {
		var keys []string
		err := t.each(ctx, "k", prefix, from, limit, func(rows *sql.Rows) error {
			var key []byte
			if err := rows.Scan(&key); err != nil {
				return err
			}
			keys = append(keys, string(key))
			return nil
		})
		return keys, err
	})
}

// each calls fn for at most limit rows (0: all) whose keys start with prefix and are not below from.
func (t *tx) each(ctx context.Context, columns, prefix, from string, limit int, fn func(*sql.Rows) error) error {
	if limit == 0 {
		limit = math.MaxInt32
	}
	query := `SELECT ` + columns + ` FROM kv WHERE k >= $1 ORDER BY k LIMIT $2`
	args := []any{[]byte(from), int64(limit)}
	if end, ok := keyspace.End(prefix); ok {
		query = `SELECT ` + columns + ` FROM kv WHERE k >= $1 AND k < $3 ORDER BY k LIMIT $2`
		args = append(args, []byte(end))
	}
	rows, err := t.q.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("reading keys below %q: %w", prefix, ToStorage(err))
	}
	defer func() { _ = rows.Close() }() // Err tells of any failure
	for rows.Next() {
		if err := fn(rows); err != nil {
			return fmt.Errorf("reading keys below %q: %w", prefix, ToStorage(err))
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading keys below %q: %w", prefix, ToStorage(err))
	}
	return nil
}

// filled never returns nil: that would be NULL to the database, and an empty value is a value.
func filled(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}
