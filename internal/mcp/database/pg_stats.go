package database

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/postgres"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// statistics are the queries by what they are asked for. The views are those of the manual's chapter "The Cumulative
// Statistics System"; their columns are the ones of every version from 12 on.
func statistics() map[string]string {
	return map[string]string{
		"activity": `SELECT pid, usename, application_name, state, wait_event_type, wait_event, now() - query_start AS running,
			left(query, 500) AS query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
			ORDER BY query_start NULLS LAST`,
		"database": `SELECT datname, numbackends, xact_commit, xact_rollback, blks_read, blks_hit, tup_returned, tup_fetched,
			tup_inserted, tup_updated, tup_deleted, conflicts, temp_files, temp_bytes, deadlocks,
			pg_database_size(datid) AS bytes FROM pg_stat_database WHERE datname = current_database()`,
		"tables": `SELECT schemaname AS schema, relname AS "table", n_live_tup, n_dead_tup, seq_scan, idx_scan, n_tup_ins,
			n_tup_upd, n_tup_del, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze,
			pg_total_relation_size(relid) AS bytes FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC, 1, 2`,
		"indexes": `SELECT schemaname AS schema, relname AS "table", indexrelname AS index, idx_scan, idx_tup_read,
			idx_tup_fetch, pg_relation_size(indexrelid) AS bytes FROM pg_stat_user_indexes ORDER BY idx_scan, 1, 2, 3`,
		"locks": `SELECT a.pid, pg_blocking_pids(a.pid) AS blocked_by, a.usename, a.state, l.locktype, l.mode, l.granted,
			l.relation::regclass::text AS relation, left(a.query, 500) AS query
			FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() ORDER BY l.granted, a.pid`,
		"settings": `SELECT name, setting, unit, source, pending_restart FROM pg_settings WHERE source <> 'default' ORDER BY name`,
	}
}

type statsIn struct {
	About      string `json:"about,omitempty" jsonschema:"activity, database, indexes, locks, settings or tables; database unless given"`
	Connection string `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL; DATABASE_URL unless given"`
	Env        string `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
}

func pgStats(s *state) (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "pg_stats", Title: "Statistics of PostgreSQL", Set: tool.Inspect,
		Text: "Shows what PostgreSQL counts about a database: sessions and what they run, tables and indexes with sizes and use, " +
			"locks and who waits, settings that differ from the default.",
		ReadOnly: true, Idempotent: true, OpenWorld: true, Outside: true,
	}, s.pgStats)
}

func (s *state) pgStats(ctx context.Context, c *tool.Call, in statsIn) (table.Result, error) {
	if in.About == "" {
		in.About = "database"
	}
	known := statistics()
	sql, ok := known[in.About]
	if !ok {
		return table.Result{}, tool.Invalid("about is one of %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	l, err := login.Open(ctx, c, login.Request{
		Tool: "pg_stats", Connection: in.Connection, Env: in.Env, Default: "DATABASE_URL", Schemes: postgres.Schemes(), Statement: sql,
	})
	if err != nil {
		return table.Result{}, err
	}
	return s.postgres.Run(ctx, l, c.Limits, postgres.Statement{SQL: sql})
}
