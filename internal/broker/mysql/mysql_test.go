package mysql_test

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/ArcadeLabsInc/zvault/internal/broker"
	"github.com/ArcadeLabsInc/zvault/internal/broker/brokertest"
	"github.com/ArcadeLabsInc/zvault/internal/broker/mysql"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

func login(s *testservice.Server) broker.Login {
	return broker.Login{Secret: "MYSQL_URL", Address: s.Address(), User: s.User, Password: secret.Of(s.Password), Database: "test"}
}

func open(t *testing.T, b *brokertest.Broker, password string) *sql.DB {
	t.Helper()
	config := driver.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr, config.Logger = "anyone", password, "tcp", b.Address(), &driver.NopLogger{}
	connector, err := driver.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestHandle(t *testing.T) {
	t.Parallel()
	s := testservice.MariaDB(t)
	b := brokertest.Start(t, login(s), mysql.Handle)
	db := open(t, b, brokertest.Local)
	var user, database, echo string
	if err := db.QueryRow("SELECT CURRENT_USER(), DATABASE(), ?", s.Password).Scan(&user, &database, &echo); err != nil {
		t.Fatalf("%v; %v", err, b.Failures(0))
	}
	if user != "boss@%" || database != "test" || echo != strings.Repeat("*", len(s.Password)) {
		t.Errorf("user %q, database %q, the password comes back as %q", user, database, echo)
	}
	cmd := exec.Command("mysql", "--protocol=tcp", "-h", b.Host, "-P", b.Port, "-u", "anyone", "-N", "-B", "-e", "SELECT CURRENT_USER()")
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+brokertest.Local)
	out, err := cmd.CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "boss@%" {
		t.Errorf("mysql prints %q, %v", got, err)
	}
}

func TestHandle_Refused(t *testing.T) {
	t.Parallel()
	s := testservice.MariaDB(t)
	b := brokertest.Start(t, login(s), mysql.Handle)
	for name, password := range map[string]string{"guessed": "guess", "none": "", "real": s.Password} {
		if err := open(t, b, password).Ping(); err == nil || !strings.Contains(err.Error(), "takes the password of the run") {
			t.Errorf("a login with the %s password: %v", name, err)
		}
	}
	wrong := login(s)
	wrong.Password = secret.Of("not-the-password")
	c := brokertest.Start(t, wrong, mysql.Handle)
	var refusal *driver.MySQLError
	if err := open(t, c, brokertest.Local).Ping(); !errors.As(err, &refusal) || refusal.Number != 1045 {
		t.Errorf("what the server says is not passed on: %v", err)
	}
	b.Deny()
	if err := open(t, b, brokertest.Local).Ping(); err == nil {
		t.Error("a denied login is let in")
	}
}

func TestHandle_TLS(t *testing.T) {
	t.Parallel()
	s := testservice.MariaDB(t)
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	l := login(s)
	l.TLS = &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
	b := brokertest.Start(t, l, mysql.Handle)
	var name, cipher string
	if err := open(t, b, brokertest.Local).QueryRow("SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher); err != nil || cipher == "" {
		t.Errorf("cipher %q, %v; %v", cipher, err, b.Failures(0))
	}
	l.TLS = &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1"}
	if err := open(t, brokertest.Start(t, l, mysql.Handle), brokertest.Local).Ping(); err == nil {
		t.Error("a server that nobody vouches for was given the password")
	}
}
