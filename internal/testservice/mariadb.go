package testservice

import (
	"context"
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// MariaDB starts a MariaDB that listens on TCP, with and without TLS, and wants passwords. The user may do everything; there
// is a database "test".
func MariaDB(t testing.TB) *Server {
	t.Helper()
	program(t, "mariadb-server", "/usr/sbin/mariadbd")
	dir := folder(t)
	s := &Server{Host: "127.0.0.1", Port: freePort(t), User: "boss", Password: "my/Pass:w0rd@" + filepath.Base(dir)}
	data := filepath.Join(dir, "data")
	run(t, as(t, "mysql", dir, exec.Command("/usr/bin/mariadb-install-db", "--no-defaults", "--datadir="+data, "--tmpdir="+dir, "--skip-test-db",
		"--auth-root-authentication-method=normal")))
	setup := write(t, dir, "setup.sql", fmt.Sprintf("CREATE USER boss@'%%' IDENTIFIED BY '%s';", s.Password),
		"GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION;", "CREATE DATABASE test;")
	var certificate, key string
	s.CA, certificate, key = Certificate(t, dir)
	start(t, dir, as(t, "mysql", dir, exec.Command("/usr/sbin/mariadbd", "--no-defaults", "--datadir="+data, "--tmpdir="+dir,
		"--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", s.Port), "--socket="+filepath.Join(dir, "socket"), "--init-file="+setup,
		"--ssl-cert="+certificate, "--ssl-key="+key, "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M",
		"--performance-schema=OFF")), s.mariaReady)
	return s
}

func (s *Server) mariaReady(ctx context.Context) error {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr, config.Logger = s.User, s.Password, "tcp", s.Address(), &mysql.NopLogger{}
	config.DBName = "test"
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	return db.PingContext(ctx)
}
