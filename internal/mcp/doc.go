// Package mcp is the MCP server: through it an assistant does everything with secrets except see them.
//
// Start with [New], which takes tools (package tool) and the vault, then [Server.Run] for one client over a pair of streams or
// [Server.Handler] for HTTP. All sets of tools are listed in [All].
//
// # One way out
//
// Every answer, error and notification passes the middleware of funnel.go, which masks all values of the project in force, in all
// their encodings, and what tools have revealed or made. Where it cannot be known what to mask (a sealed vault), nothing but our
// own words leaves. A tool's result is marked as untrusted if it holds what others wrote.
//
// # Who acts
//
// The assistant is an actor of its own kind with the person's id; the client is what it calls itself. A call that changes
// something or reaches outside is in the audit log before it is done, values given to a tool are when they are given.
package mcp
