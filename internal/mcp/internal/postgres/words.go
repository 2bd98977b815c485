package postgres

import (
	"slices"
	"strings"
)

// query reports whether a statement is a query by its first word. Since the server takes one statement only, such a one can
// be nothing else, and needs not be described first. False means nothing but that.
func query(sql string) bool {
	sql = strings.TrimLeft(sql, " \t\r\n(")
	end := strings.IndexFunc(sql, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if end < 0 {
		end = len(sql)
	}
	return slices.Contains([]string{"select", "with", "values", "table", "show", "explain"}, strings.ToLower(sql[:end]))
}

// effects are functions that do something which no rollback undoes and a read-only transaction permits, to those who may
// call them: signals, files of the server, other connections, replication, statistics.
func effects() []string {
	return []string{
		"dblink", "dblink_connect", "dblink_connect_u", "dblink_exec", "dblink_open", "dblink_send_query",
		"lo_export", "lo_import", "lo_unlink", "lo_put", "lo_from_bytea", "lo_create", "lo_creat", "lowrite", "lo_truncate",
		"pg_cancel_backend", "pg_terminate_backend", "pg_reload_conf", "pg_rotate_logfile", "pg_log_backend_memory_contexts",
		"pg_file_write", "pg_file_unlink", "pg_file_rename", "pg_file_sync", "pg_logfile_rotate",
		"pg_switch_wal", "pg_create_restore_point", "pg_backup_start", "pg_backup_stop", "pg_start_backup", "pg_stop_backup",
		"pg_promote", "pg_wal_replay_pause", "pg_wal_replay_resume", "pg_logical_emit_message", "pg_notify",
		"pg_create_physical_replication_slot", "pg_create_logical_replication_slot", "pg_drop_replication_slot",
		"pg_replication_slot_advance", "pg_logical_slot_get_changes", "pg_logical_slot_get_binary_changes",
		"pg_replication_origin_create", "pg_replication_origin_drop", "pg_stat_reset", "pg_stat_reset_shared",
		"pg_stat_statements_reset", "pg_import_system_collations",
		"pg_read_file", "pg_read_binary_file", "pg_ls_dir",
	}
}

// Effect finds the name of such a function in a statement. It is a second line only, and says which functions a honest
// caller should not use: a name can be put together within a statement.
func Effect(sql string) (string, bool) {
	list := effects()
	for word := range strings.FieldsFuncSeq(strings.ToLower(sql), func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		if slices.Contains(list, word) {
			return word, true
		}
	}
	return "", false
}
