package mysql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// configure makes the driver's configuration. Files of this machine are never sent, passwords never in the clear, and
// several statements in one text are not offered, whatever the URL says.
func configure(l *login.Login, route *login.Route, meter *login.Meter) (*driver.Config, error) {
	config := driver.NewConfig()
	config.User, config.Passwd, config.DBName = l.User, string(l.Password.Reveal()), l.Database()
	config.Net, config.Addr = "tcp", l.Address()
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := route.Dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return meter.Wrap(conn), nil
	}
	config.Collation = "utf8mb4_general_ci"
	config.Logger = &driver.NopLogger{}
	config.CheckConnLiveness = false // it wants the system's own connection; a dead one is noticed when used
	wanted, ok := modes()[strings.ToLower(mode(l))]
	if !ok {
		return nil, tool.Invalid("the ssl-mode of the URL in %s is none of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY", l.Secret)
	}
	encryption, err := l.Settle(route, wanted)
	if err != nil {
		return nil, err
	}
	config.TLS = l.TLS(encryption, nil)
	config.AllowFallbackToPlaintext = encryption == login.Prefer
	return config, nil
}

// mode is what the URL says of TLS, in whichever way.
func mode(l *login.Login) string {
	for _, key := range []string{"ssl-mode", "sslmode", "sslMode", "tls"} {
		if v := l.Query.Get(key); v != "" {
			return v
		}
	}
	return ""
}

// modes are the values of MySQL's own programs and of the Go driver, in lower case.
func modes() map[string]login.Encryption {
	return map[string]login.Encryption{
		"": login.Unset, "disabled": login.Off, "disable": login.Off, "false": login.Off, "preferred": login.Prefer,
		"prefer": login.Prefer, "required": login.Require, "require": login.Require, "skip-verify": login.Require,
		"verify_ca": login.Verify, "verify-ca": login.Verify, "verify_identity": login.Verify, "verify-full": login.Verify, "true": login.Verify,
	}
}

// failure is an error without what the driver's texts hold of the configuration.
func failure(ctx context.Context, l *login.Login, err error) error {
	var m *driver.MySQLError
	if errors.As(err, &m) {
		return refusal(m)
	}
	return l.Failure(ctx, err)
}

// maxSaid is the most bytes of a text of the server's that an error repeats.
const maxSaid = 2000

// refusal is what the database says. Numbers are those of the manuals' lists of errors.
func refusal(m *driver.MySQLError) *tool.Error {
	text := fmt.Sprintf("MySQL: %s (error %d, SQLSTATE %s)", table.Cut(m.Message, maxSaid), m.Number, m.SQLState[:])
	switch m.Number {
	case 1792: // a read-only transaction
		return tool.Failed("denied", "%s; this tool only reads unless the argument allow_write is true", text)
	case 1045, 1044, 1698: // nobody by that password, no access to the database
		return tool.Failed("denied", "%s; the person can check user and password in the secret", text)
	case 1142, 1143, 1227, 1370: // no privilege
		return tool.Failed("denied", "%s", text)
	case 1969, 3024, 1317: // time is over
		return tool.Failed("timeout", "%s; ask for less, or have the person raise the time limit", text)
	case 1040, 1053, 1203: // too many connections, shutting down
		return tool.Failed("unreachable", "%s; try again later", text)
	default:
		return tool.Failed("failed", "%s", text)
	}
}
