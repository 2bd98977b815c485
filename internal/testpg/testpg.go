// Package testpg gives tests a real PostgreSQL. Only tests import it.
//
// URL returns a fresh database on a server that all test processes of one run share; Start a server of the test's own,
// which it may stop, kill and start again. The server's programs are found where Debian, Homebrew and others put them,
// or installed with apt-get when root and missing. Servers listen on a socket in a folder of their own below the
// temporary folder, and never sync: they forget in a power failure, not when they are killed.
//
// No server outlives its tests, however these end: next to each one a keeper process, which is the test binary once
// more, waits for a file lock that the kernel releases with the last test process, then stops the server and removes
// the folder.
//
// Without PostgreSQL the tests fail. ZVAULT_TEST_NO_POSTGRES=1 leaves them out instead, unless ZVAULT_TEST_STRICT=1.
package testpg

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// URL returns the URL of a new, empty database, which is dropped when the test ends. Its collation is that of English,
// so that names do not sort by bytes unless they are told to.
func URL(t testing.TB) string {
	t.Helper()
	optOut(t)
	server, err := shared()
	if err != nil {
		t.Fatalf("starting PostgreSQL: %v", err)
	}
	return newDatabase(t, server)
}

// optOut skips the test where it is said explicitly that there is no PostgreSQL.
func optOut(t testing.TB) {
	t.Helper()
	if os.Getenv("ZVAULT_TEST_NO_POSTGRES") == "1" && os.Getenv("ZVAULT_TEST_STRICT") != "1" {
		t.Skip("ZVAULT_TEST_NO_POSTGRES=1")
	}
}

func newDatabase(t testing.TB, socket string) string {
	t.Helper()
	name := "t" + strings.ToLower(rand.Text())
	if err := administer(context.Background(), socket, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("creating a database: %v", err)
	}
	t.Cleanup(func() {
		// A test that has stopped its server leaves the database to the server's folder.
		_ = administer(context.Background(), socket, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	return databaseURL(socket, name)
}

// databaseURL addresses a database by the folder that holds the server's socket.
func databaseURL(socket, name string) string {
	return "postgres:///" + name + "?host=" + socket + "&port=5432&user=postgres&sslmode=disable"
}

// administer runs a statement on the server's own database.
func administer(ctx context.Context, socket, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, databaseURL(socket, "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}
