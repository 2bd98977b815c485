package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// session is a connection that has logged in. Only one statement at a time.
type session struct {
	conn  *pgconn.PgConn
	names map[uint32]string // of types that are not built in
	statements
	// broken: not to be used again. unfinished: the server may still be at work. heard: it has answered something.
	broken, unfinished, heard bool
}

// superuser is what the server has reported when logging in.
func (x *session) superuser() bool { return x.conn.ParameterStatus("is_superuser") == "on" }

// dead reports that the connection broke before the server said a word.
func (x *session) dead() bool { return x.broken && !x.heard && !x.unfinished }

// reply is what one statement brings.
type reply struct {
	rows       *table.Builder
	types      []uint32
	parameters []uint32
	columns    bool // whether the statement returns rows
	suspended  bool
	count      int // of rows that came
	most       int // of rows that may come
	tag        pgconn.CommandTag
	err        *pgproto3.ErrorResponse
	status     byte // of the transaction, when the server became ready
}

func (x *session) run(ctx context.Context, limits tool.Limits, st Statement) (table.Result, error) {
	x.heard, x.unfinished = false, false
	stop := context.AfterFunc(ctx, func() { _ = x.conn.Conn().SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() {
			x.broken = true
		}
	}()
	r := &reply{rows: table.New(limits), most: limits.Rows + 1}
	var err error
	if st.Write {
		err = x.write(r, limits, st)
	} else {
		err = x.read(r, limits, st)
	}
	if err != nil {
		x.broken = true
		return table.Result{}, err
	}
	if r.err != nil {
		return table.Result{}, refusal(r.err)
	}
	if err := x.nameTypes(r); err != nil {
		x.broken = true
		return table.Result{}, err
	}
	if r.suspended {
		r.rows.More()
	}
	result := r.rows.Done()
	if !r.tag.Select() {
		result.Affected = r.tag.RowsAffected()
	}
	return result, nil
}

// read runs a statement that may only read; see the package. It is run once more, without prepared statements, if the server
// does not know these any more: a pooler such as PgBouncer may stand before it, or a table may have changed.
func (x *session) read(r *reply, limits tool.Limits, st Statement) error {
	defer func() { x.uses++ }()
	err := x.attempt(r, limits, st)
	if err != nil || r.err == nil || x.plain || !forgotten(r.err) {
		return err
	}
	x.plain = true
	*r = reply{rows: table.New(limits), most: r.most}
	return x.attempt(r, limits, st)
}

// forgotten reports whether an error is about a prepared statement that is gone, there already, or stale.
func forgotten(m *pgproto3.ErrorResponse) bool {
	return m.Code == "26000" || m.Code == "42P05" || m.Code == "0A000" && strings.Contains(m.Message, "cached plan")
}

func (x *session) attempt(r *reply, limits tool.Limits, st Statement) error {
	x.do("zvault_begin", "BEGIN READ ONLY")
	x.do("zvault_limit", "SELECT set_config('statement_timeout',$1,true)", []byte(millis(limits)))
	name := x.name(st.SQL)
	x.parse(name, st.SQL)
	if nested(st.Parameters) || !query(st.SQL) && !x.rows[name] {
		x.conn.Frontend().SendDescribe(&pgproto3.Describe{ObjectType: 'S', Name: name})
		x.sync()
		if err := x.await(r); err != nil {
			return err
		}
		if r.err == nil && !r.columns {
			return errNoRows
		}
	}
	if r.err == nil {
		if err := x.execute(r, name, limits, st); err != nil {
			return err
		}
		x.rollback()
		if err := x.await(r); err != nil {
			return err
		}
	} else {
		x.rollback()
	}
	if name != "" && r.err == nil {
		x.rows[name] = r.columns
	}
	return x.back()
}

// back reads the answer to rollback.
func (x *session) back() error {
	r := &reply{}
	if err := x.await(r); err != nil {
		return err
	}
	x.broken = x.broken || r.status != 'I'
	return nil
}

// write runs a statement as it is.
func (x *session) write(r *reply, limits tool.Limits, st Statement) error {
	front := x.conn.Frontend()
	front.SendQuery(&pgproto3.Query{String: "SET statement_timeout=" + millis(limits)})
	front.SendParse(&pgproto3.Parse{Query: st.SQL})
	front.SendDescribe(&pgproto3.Describe{ObjectType: 'S'})
	x.sync()
	set := &reply{}
	if err := x.await(set); err != nil {
		return err
	}
	if err := x.await(r); err != nil || r.err != nil {
		return err
	}
	if set.err != nil {
		r.err = set.err
		return nil
	}
	if err := x.execute(r, "", limits, st); err != nil {
		return err
	}
	if err := x.await(r); err != nil {
		return err
	}
	if r.err == nil && r.status != 'I' {
		return tool.Invalid("the statement has begun a transaction, which ends with this call and is rolled back: each call is a " +
			"transaction of its own")
	}
	return nil
}

// execute sends the parameters and has the described statement executed.
func (x *session) execute(r *reply, name string, limits tool.Limits, st Statement) error {
	bind := &pgproto3.Bind{PreparedStatement: name, Parameters: make([][]byte, len(st.Parameters))}
	for i, p := range st.Parameters {
		var oid uint32
		if i < len(r.parameters) {
			oid = r.parameters[i]
		}
		text, err := encode(oid, p)
		if err != nil {
			return tool.Invalid("parameter %d cannot be sent as %s", i+1, typeName(oid))
		}
		bind.Parameters[i] = text
	}
	front := x.conn.Frontend()
	front.SendBind(bind)
	front.SendDescribe(&pgproto3.Describe{ObjectType: 'P'})
	front.SendExecute(&pgproto3.Execute{MaxRows: uint32(limits.Rows) + 1}) //nolint:gosec // a person's setting, far below
	x.sync()
	return nil
}

// rollback ends the transaction. Locks of the session would outlive it.
func (x *session) rollback() {
	x.do("zvault_rollback", "ROLLBACK")
	x.do("zvault_unlock", "SELECT pg_advisory_unlock_all()")
	x.sync()
}

// millis is the server's time limit: a little less than ours, since its message says more.
func millis(limits tool.Limits) string {
	return strconv.FormatInt(max(1, (limits.Time*9/10).Milliseconds()), 10)
}

var (
	errNoRows = tool.Failed("denied", "a statement that returns no rows is not run without allow_write: it would change something, or "+
		"take the connection out of its read-only transaction")
	errTransfer = tool.Invalid("COPY from or to the client is not possible here; select the rows, or insert them")
)

// await sends what is pending and reads until the server is ready again.
func (x *session) await(r *reply) error {
	front := x.conn.Frontend()
	if err := front.Flush(); err != nil {
		return fmt.Errorf("sending the statement: %w", err)
	}
	for {
		message, err := front.Receive()
		if err != nil {
			x.unfinished = x.heard || errors.Is(err, os.ErrDeadlineExceeded)
			return fmt.Errorf("reading the answer: %w", err)
		}
		if m, ok := message.(*pgproto3.ErrorResponse); !ok || m.Severity != "FATAL" { // that is how it says goodbye
			x.heard = true
		}
		done, err := x.take(r, message)
		if err != nil {
			x.unfinished = x.heard
			return err
		}
		if done {
			return nil
		}
	}
}

// take handles one message, and reports whether the server is ready.
func (x *session) take(r *reply, message pgproto3.BackendMessage) (ready bool, err error) {
	switch m := message.(type) {
	case *pgproto3.ReadyForQuery:
		r.status = m.TxStatus
		x.synced()
		return true, nil
	case *pgproto3.ErrorResponse:
		if r.err == nil {
			r.err = m
		}
		if m.Severity == "FATAL" || m.Severity == "PANIC" {
			return false, refusal(m)
		}
	case *pgproto3.ParseComplete:
		x.parsed()
	case *pgproto3.ParameterDescription:
		r.parameters = append([]uint32{}, m.ParameterOIDs...)
	case *pgproto3.RowDescription:
		r.describe(m)
	case *pgproto3.DataRow:
		return false, r.row(m)
	case *pgproto3.PortalSuspended:
		r.suspended = true
	case *pgproto3.CommandComplete:
		r.tag = pgconn.NewCommandTag(string(m.CommandTag))
	case *pgproto3.EmptyQueryResponse:
		return false, tool.Invalid("the statement is empty")
	case *pgproto3.CopyInResponse, *pgproto3.CopyOutResponse, *pgproto3.CopyBothResponse:
		return false, errTransfer
	}
	return false, nil
}

func (r *reply) describe(m *pgproto3.RowDescription) {
	if r.rows == nil {
		return
	}
	r.columns, r.types, r.rows.Columns = true, nil, []table.Column{}
	for _, f := range m.Fields {
		r.types = append(r.types, f.DataTypeOID)
		r.rows.Columns = append(r.rows.Columns, table.Column{Name: string(f.Name), Type: typeName(f.DataTypeOID)})
	}
}

// errEndless is returned for a server that sends more rows than it was asked for.
var errEndless = tool.Failed("failed", "the server sends more rows than it was asked for")

func (r *reply) row(m *pgproto3.DataRow) error {
	if r.rows == nil || !r.columns { // of a statement of our own
		return nil
	}
	if r.count++; r.count > r.most {
		return errEndless
	}
	if r.rows.Full() {
		return nil
	}
	if len(m.Values) != len(r.types) {
		return tool.Failed("failed", "the server sends rows of another width than it has announced")
	}
	cells := make([]any, len(m.Values))
	for i, v := range m.Values {
		cells[i] = decode(r.types[i], v)
	}
	r.rows.Add(cells)
	return nil
}

// nameTypes asks the server for the names of types that are not built in, of which it keeps the answers.
func (x *session) nameTypes(r *reply) error {
	for i, oid := range r.types {
		if typeName(oid) != "" {
			continue
		}
		name, ok := x.names[oid]
		if !ok {
			var err error
			if name, err = x.lookup(oid); err != nil {
				return err
			}
			x.names[oid] = name
		}
		r.rows.Columns[i].Type = name
	}
	return nil
}

func (x *session) lookup(oid uint32) (string, error) {
	number := strconv.FormatUint(uint64(oid), 10)
	front := x.conn.Frontend()
	front.SendQuery(&pgproto3.Query{String: "SELECT format_type(" + number + ",NULL)"})
	r := &reply{rows: table.New(tool.Limits{Rows: 1, Body: 1000, Object: 1000}), most: 1}
	if err := x.await(r); err != nil {
		return "", err
	}
	if r.err == nil && len(r.rows.Rows) == 1 {
		if name, ok := r.rows.Rows[0][0].(string); ok {
			return name, nil
		}
	}
	return "type " + number, nil
}
