package postgres

import (
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"
)

// mostPrepared is how many statements of its caller a session has the server keep, and how many it remembers.
const mostPrepared = 32

// end is what stands in statements.pending for a Sync; no statement is called so.
const end = "end"

// statements are those that the server keeps prepared for a session. One is prepared when it comes the second time: most
// come once.
type statements struct {
	uses     int  // of the session
	plain    bool // nothing is to be prepared: who stands between forgets it
	seen     []string
	known    map[string]string // name by text
	prepared map[string]bool   // by name: the server has it
	rows     map[string]bool   // by name: it returns rows
	pending  []string          // what was sent and not answered: names in Parse messages, and end for each Sync
}

func newStatements() statements {
	return statements{known: map[string]string{}, prepared: map[string]bool{}, rows: map[string]bool{}}
}

// do runs a statement of our own, whose parameters are text.
func (x *session) do(name, sql string, parameters ...[]byte) {
	if x.uses == 0 || x.plain {
		name = ""
	}
	x.parse(name, sql)
	front := x.conn.Frontend()
	front.SendBind(&pgproto3.Bind{PreparedStatement: name, Parameters: parameters})
	front.SendExecute(&pgproto3.Execute{})
}

// name is what a statement of the caller's is prepared as, empty for not.
func (x *session) name(sql string) string {
	if x.plain {
		return ""
	}
	if name, ok := x.known[sql]; ok {
		return name
	}
	if slices.Contains(x.seen, sql) && len(x.known) < mostPrepared {
		name := "zvault_" + strconv.Itoa(len(x.known))
		x.known[sql] = name
		return name
	}
	if len(x.seen) < mostPrepared {
		x.seen = append(x.seen, sql)
	}
	return ""
}

// parse has the server prepare a statement unless it has it.
func (x *session) parse(name, sql string) {
	if x.prepared[name] {
		return
	}
	x.conn.Frontend().SendParse(&pgproto3.Parse{Name: name, Query: sql})
	x.pending = append(x.pending, name)
}

// sync ends a batch of messages: after an error the server skips what comes before it.
func (x *session) sync() {
	x.conn.Frontend().SendSync(&pgproto3.Sync{})
	x.pending = append(x.pending, end)
}

// parsed notes that the server has prepared the next statement.
func (x *session) parsed() {
	if len(x.pending) > 0 && x.pending[0] != end {
		if x.pending[0] != "" {
			x.prepared[x.pending[0]] = true
		}
		x.pending = x.pending[1:]
	}
}

// synced notes that a batch is over. What of it was not prepared by now has been skipped.
func (x *session) synced() {
	if i := slices.Index(x.pending, end); i >= 0 {
		x.pending = x.pending[i+1:]
	}
}
