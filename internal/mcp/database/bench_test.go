package database_test

import (
	"encoding/json"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/database"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

// The two benchmarks run the same statement on the same server. query_database is to take at most 1.3 times as long as pgx
// does, which already has the statement prepared.
const benchmarkQuery = "SELECT id, name, price, made, tags FROM goods WHERE id BETWEEN 100 AND 199 ORDER BY id"

func benchmarkServer(b *testing.B) string {
	server := testservice.Postgres(b)
	url := server.URL("postgres", "/postgres", "sslmode=disable")
	exec(b, direct(b, url), `CREATE TABLE goods AS SELECT id, 'article ' || id AS name, id * 1.25 AS price,
		timestamptz '2026-01-01' + id * interval '1 hour' AS made, ARRAY['a','b'] AS tags FROM generate_series(1,10000) id`,
		"ALTER TABLE goods ADD PRIMARY KEY (id)", "ANALYZE goods")
	return url
}

// BenchmarkQueryDatabase includes the vault: the secret is revealed and the gate asked each time.
func BenchmarkQueryDatabase(b *testing.B) {
	url := benchmarkServer(b)
	tools, closeAll, err := database.Tools()
	if err != nil {
		b.Fatal(err)
	}
	defer closeAll()
	c := tooltest.New(b, map[string]string{"DATABASE_URL": url})
	arguments, err := json.Marshal(args{"query": benchmarkQuery})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, x := range tools {
			if x.Name != "query_database" {
				continue
			}
			if _, err := x.Run(b.Context(), c, arguments); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkBarePgx reads the rows into values, as a program does.
func BenchmarkBarePgx(b *testing.B) {
	conn := direct(b, benchmarkServer(b))
	for b.Loop() {
		rows, err := conn.Query(b.Context(), benchmarkQuery)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for rows.Next() {
			if _, err := rows.Values(); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if err := rows.Err(); err != nil || n != 100 {
			b.Fatal(n, err)
		}
	}
}
