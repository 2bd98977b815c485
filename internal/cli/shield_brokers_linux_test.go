package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

// Real clients log in to real databases under the shield, sandboxed too, with URLs that hold no password of the database's.
func TestShield_Databases(t *testing.T) {
	t.Parallel()
	pg, maria, redis := testservice.Postgres(t), testservice.MariaDB(t), testservice.Redis(t)
	home := t.TempDir()
	run := func(stdin string, args ...string) (string, string, error) {
		cmd := exec.Command(os.Args[0], args...)
		var out, errs bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Dir = strings.NewReader(stdin), &out, &errs, home
		cmd.Env = append(os.Environ(), asMain+"=1", "ZVAULT_HOME="+home+"/vault", "ZVAULT_PROJECT=app", "CI=", "DBUS_SESSION_BUS_ADDRESS=")
		err := cmd.Run()
		return out.String(), errs.String(), err
	}
	must := func(stdin string, args ...string) string {
		t.Helper()
		out, errs, err := run(stdin, args...)
		if err != nil {
			t.Fatalf("%v: %v\n%s%s", args, err, out, errs)
		}
		return out
	}
	must("", "init")
	must("", "project", "create", "app")
	must(pg.URL("postgres", "/postgres", ""), "secret", "set", "DATABASE_URL")
	must(maria.URL("mysql", "/test", ""), "secret", "set", "MYSQL_URL")
	must(strings.Replace(redis.URL("redis", "/0", ""), "default:", ":", 1), "secret", "set", "REDIS_URL")
	const script = `psql "$DATABASE_URL" -Atc "SELECT 'pg as ' || current_user"
redis-cli -u "$REDIS_URL" --no-auth-warning SET key value
redis-cli -u "$REDIS_URL" --no-auth-warning CONFIG GET requirepass
rest=${MYSQL_URL#*://}; login=${rest%%@*}; place=${rest#*@}; address=${place%%/*}
MYSQL_PWD=${login#*:} mariadb --protocol=tcp -h "${address%:*}" -P "${address#*:}" -u x -NBe "SELECT CONCAT('maria as ', CURRENT_USER())"
env; cat /proc/self/environ`
	for _, flags := range [][]string{nil, {"--sandbox"}} {
		args := append(append([]string{"shield", "-q"}, flags...), "--", "sh", "-c", script)
		out := must("", args...)
		for _, want := range []string{"pg as postgres", "OK", "maria as boss@%"} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: no %q in:\n%s", flags, want, out)
			}
		}
		for name, s := range map[string]*testservice.Server{"PostgreSQL": pg, "MariaDB": maria, "Redis": redis} {
			if strings.Contains(out, s.Password) {
				t.Errorf("%v: the password of %s is in the output", flags, name)
			}
		}
	}
	log := must("", "audit", "list", "--json")
	if want := fmt.Sprintf("tool=shield login postgres://127.0.0.1:%d", pg.Port); !strings.Contains(log, want) {
		t.Errorf("the audit log has no %q", want)
	}
}
