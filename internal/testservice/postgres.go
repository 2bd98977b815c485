package testservice

import (
	"context"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Server is a running server.
type Server struct {
	Host     string
	Port     int
	User     string // who may do everything
	Password string
	CA       string // file with the certificate that signed the server's, if it speaks TLS
}

// Address is the host and port.
func (s *Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// URL is a URL with user and password, for a scheme, a path and a query, such as "sslmode=disable".
func (s *Server) URL(scheme, path, query string) string {
	u := url.URL{Scheme: scheme, User: url.UserPassword(s.User, s.Password), Host: s.Address(), Path: path, RawQuery: query}
	return u.String()
}

// Postgres starts a PostgreSQL that listens on TCP, with and without TLS, and wants passwords (SCRAM). The user is a
// superuser; its database is "postgres".
func Postgres(t testing.TB) *Server {
	t.Helper()
	initdb := program(t, "postgresql", "/usr/lib/postgresql/*/bin/initdb", "/opt/homebrew/opt/postgresql*/bin/initdb")
	dir := folder(t)
	s := &Server{Host: "127.0.0.1", Port: freePort(t), User: "postgres", Password: "pg/Pass:w0rd@" + filepath.Base(dir)}
	password := write(t, dir, "password", s.Password)
	data := filepath.Join(dir, "data")
	run(t, as(t, "postgres", dir, exec.Command(initdb, "-D", data, "--no-sync", "--no-instructions", "-U", s.User, "-E", "UTF8",
		"--locale=C", "-A", "scram-sha-256", "--pwfile", password)))
	var certificate, key string
	s.CA, certificate, key = Certificate(t, dir)
	args := []string{"-D", data, "-k", dir, "-p", strconv.Itoa(s.Port)}
	for _, setting := range []string{
		"listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "shared_buffers=32MB", "jit=off",
		"ssl=on", "ssl_cert_file=" + certificate, "ssl_key_file=" + key,
	} {
		args = append(args, "-c", setting)
	}
	start(t, dir, as(t, "postgres", dir, exec.Command(filepath.Join(filepath.Dir(initdb), "postgres"), args...)), func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, s.URL("postgres", "/postgres", "sslmode=disable"))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
	return s
}
