package grant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/nearest"
)

// Tools are the names that Rule.Tools may hold: the tools that use secrets, and the shield.
func Tools() []string {
	return []string{
		"bulk_import", "check_service", "deploy_secrets", "docker_exec", "graphql_query", "grpc_call", "http_request", "k8s_get", "k8s_logs",
		"pg_explain", "pg_schema", "pg_stats", "query_clickhouse", "query_database", "query_mongodb", "query_mysql", "query_redis",
		"rabbitmq_status", "redis_monitor", "run_command", "s3_list", "s3_read", "s3_write", "search_meilisearch", "shield", "smtp_send",
		"ssh_exec", "tls_inspect", "webhook_test", "websocket_send",
	}
}

// parseTool checks an entry of Rule.Tools; the prefix that clients see is taken off.
func parseTool(text string) (string, error) {
	name := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text)), "zvault_")
	tools := Tools()
	if slices.Contains(tools, name) {
		return name, nil
	}
	if near, ok := nearest.Of(name, tools); ok {
		return "", fmt.Errorf("there is no tool %q that uses secrets; did you mean %s?", text, near)
	}
	return "", fmt.Errorf("there is no tool %q that uses secrets", text)
}
