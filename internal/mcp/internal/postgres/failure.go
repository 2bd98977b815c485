package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// failure is an error of connecting or of a connection, without what the driver's texts hold of the configuration.
func failure(ctx context.Context, l *login.Login, err error) error {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return refusal(&pgproto3.ErrorResponse{
			Severity: said.Severity, Code: said.Code, Message: said.Message, Detail: said.Detail, Hint: said.Hint,
		})
	}
	var large *pgproto3.ExceededMaxBodyLenErr
	if errors.As(err, &large) {
		return tool.Failed("failed", "the server sends more than %d bytes at once: select parts of the row, or see whether it is a PostgreSQL", maxMessage)
	}
	return l.Failure(ctx, err)
}

// maxSaid is the most bytes of a text of the server's that an error repeats.
const maxSaid = 2000

// refusal is what the database says, which is what the model can act on.
func refusal(m *pgproto3.ErrorResponse) *tool.Error {
	said := []string{fmt.Sprintf("%s (SQLSTATE %s)", table.Cut(m.Message, maxSaid), table.Cut(m.Code, 10))}
	if m.Position > 0 {
		said[0] += fmt.Sprintf(" at character %d", m.Position)
	}
	if m.Detail != "" {
		said = append(said, "detail: "+table.Cut(m.Detail, maxSaid))
	}
	if m.Hint != "" {
		said = append(said, "hint: "+table.Cut(m.Hint, maxSaid))
	}
	code, advice := meaning(m.Code)
	if advice != "" {
		said = append(said, advice)
	}
	return tool.Failed(code, "PostgreSQL: %s", strings.Join(said, "; "))
}

// meaning sorts SQLSTATE codes; see the appendix "PostgreSQL Error Codes" of the manual.
func meaning(state string) (code, advice string) {
	switch {
	case state == "25006":
		return "denied", "this tool only reads unless the argument allow_write is true"
	case state == "57014":
		return "timeout", "ask for less, or have the person raise the time limit"
	case strings.HasPrefix(state, "28"):
		return "denied", "the person can check user and password in the secret"
	case state == "42501":
		return "denied", ""
	case state == "08P01": // about what was sent, unlike the others of its class
		return "failed", ""
	case state == "53300", state == "57P03", strings.HasPrefix(state, "08"):
		return "unreachable", "try again later"
	default:
		return "failed", ""
	}
}
