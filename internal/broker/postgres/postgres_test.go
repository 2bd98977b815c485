package postgres_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ArcadeLabsInc/zvault/internal/broker"
	"github.com/ArcadeLabsInc/zvault/internal/broker/brokertest"
	"github.com/ArcadeLabsInc/zvault/internal/broker/postgres"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

func login(s *testservice.Server) broker.Login {
	return broker.Login{Secret: "DATABASE_URL", Address: s.Address(), User: s.User, Password: secret.Of(s.Password), Database: "postgres"}
}

func TestHandle(t *testing.T) {
	t.Parallel()
	s := testservice.Postgres(t)
	b := brokertest.Start(t, login(s), postgres.Handle)
	url := "postgres://anyone:" + brokertest.Local + "@" + b.Address() + "/ignored?application_name=shielded"

	// psql knows nothing of brokers.
	out, err := exec.Command("psql", url, "-Atc", "SELECT current_user, current_database(), current_setting('application_name')").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "postgres|postgres|shielded" {
		t.Errorf("psql prints %q, %v", got, err)
	}

	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	var name, echo string
	if err := conn.QueryRow(t.Context(), "SELECT current_setting('application_name'), $1::text", s.Password).Scan(&name, &echo); err != nil {
		t.Fatal(err)
	}
	if name != "shielded" || echo != strings.Repeat("*", len(s.Password)) {
		t.Errorf("application %q; the password comes back as %q", name, echo)
	}
	// Cancelling goes through the broker as well.
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := conn.Exec(ctx, "SELECT pg_sleep(60)")
		done <- err
	}()
	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	for running := 0; running == 0; { // it must have begun to be cancelled
		if err := other.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'").Scan(&running); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.PgConn().CancelRequest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "57014") {
		t.Errorf("a cancelled query ends with %v", err)
	}
	cancel()
	if err := errors.Join(conn.Close(t.Context()), other.Close(t.Context())); err != nil {
		t.Error(err)
	}
	if b.Asked() != 3 {
		t.Errorf("%d logins were asked for, want 3", b.Asked())
	}
}

func TestHandle_Refused(t *testing.T) {
	t.Parallel()
	s := testservice.Postgres(t)
	b := brokertest.Start(t, login(s), postgres.Handle)
	connect := func(password string) error {
		conn, err := pgx.Connect(t.Context(), "postgres://x:"+password+"@"+b.Address()+"/x")
		if err == nil {
			err = conn.Close(t.Context())
		}
		return err
	}
	if err := connect("guessed"); err == nil || !strings.Contains(err.Error(), "takes the password of the run") {
		t.Errorf("a guessed password: %v", err)
	}
	if b.Asked() != 0 {
		t.Error("a login was asked for with a guessed password")
	}
	b.Deny()
	if err := connect(brokertest.Local); err == nil || strings.Contains(err.Error(), s.Password) {
		t.Errorf("a denied login: %v", err)
	}
	if f := b.Failures(2); len(f) != 2 || !errors.Is(f[0], broker.ErrPassword) || !errors.Is(f[1], brokertest.ErrDenied) {
		t.Errorf("failures: %v", f)
	}

	wrong := login(s)
	wrong.Password = secret.Of("not-the-password")
	c := brokertest.Start(t, wrong, postgres.Handle)
	_, err := pgx.Connect(t.Context(), "postgres://x:"+brokertest.Local+"@"+c.Address()+"/x")
	if err == nil || !strings.Contains(err.Error(), "password authentication failed for user") {
		t.Errorf("what the server says is not passed on: %v", err)
	}
}

// The server is logged in to over TLS, with its certificate checked; the program on this machine does without.
func TestHandle_TLS(t *testing.T) {
	t.Parallel()
	s := testservice.Postgres(t)
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	l := login(s)
	l.TLS = &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
	b := brokertest.Start(t, l, postgres.Handle)
	conn, err := pgx.Connect(t.Context(), "postgres://x:"+brokertest.Local+"@"+b.Address()+"/x")
	if err != nil {
		t.Fatalf("%v; %v", err, b.Failures(0))
	}
	var secured bool
	if err := conn.QueryRow(t.Context(), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&secured); err != nil || !secured {
		t.Errorf("ssl = %v, %v", secured, err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
	l.TLS = &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1"}
	c := brokertest.Start(t, l, postgres.Handle)
	if _, err := pgx.Connect(t.Context(), "postgres://x:"+brokertest.Local+"@"+c.Address()+"/x"); err == nil {
		t.Error("a server that nobody vouches for was given the password")
	}
}
