package postgres

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
)

// builtin is what is known of a type without asking the server.
type builtin struct {
	name    string
	element uint32 // of an array
	comma   byte   // between its elements
}

// builtins are the types that the driver knows, by their number.
var builtins = sync.OnceValue(func() map[uint32]builtin {
	types, m := map[uint32]builtin{}, pgtype.NewMap()
	for oid := range uint32(10_000) { // numbers of built-in types are below
		t, ok := m.TypeForOID(oid)
		if !ok {
			continue
		}
		b := builtin{name: t.Name, comma: ','}
		if codec, ok := t.Codec.(*pgtype.ArrayCodec); ok && codec.ElementType != nil {
			b.element, b.name = codec.ElementType.OID, codec.ElementType.Name+"[]"
			if codec.ElementType.OID == pgtype.BoxOID {
				b.comma = ';'
			}
		}
		types[oid] = b
	}
	return types
})

// typeName is the name of a built-in type, empty for others.
func typeName(oid uint32) string { return builtins()[oid].name }

// decode makes a cell of a value in text format.
func decode(oid uint32, v []byte) any {
	if v == nil {
		return nil
	}
	switch oid {
	case pgtype.BoolOID:
		return string(v) == "t"
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID:
		return table.Integer(string(v))
	case pgtype.Float4OID, pgtype.Float8OID:
		return table.Float(string(v))
	case pgtype.JSONOID, pgtype.JSONBOID:
		return table.JSON(v)
	case pgtype.ByteaOID:
		return bytea(v)
	}
	if b := builtins()[oid]; b.element != 0 {
		if list, err := array(string(v), b); err == nil {
			return list
		}
	}
	return table.Text(v)
}

// bytea is the text of bytes, whichever of its two output formats the session has.
func bytea(v []byte) any {
	if raw, ok := strings.CutPrefix(string(v), `\x`); ok {
		if b, err := hex.DecodeString(raw); err == nil {
			return table.Bytes(b)
		}
	}
	return table.Text(v)
}

var errArray = errors.New("malformed array")

// array reads the text of an array: {1,2,NULL}, {{"a b","c\"d"},{e,f}}, with an optional [1:2]= before it. See
// "Array Input and Output Syntax" of the manual.
func array(text string, b builtin) (any, error) {
	if strings.HasPrefix(text, "[") {
		_, rest, ok := strings.Cut(text, "=")
		if !ok {
			return nil, errArray
		}
		text = rest
	}
	p := &arrayReader{text: text, builtin: b}
	list, err := p.list(0)
	if err != nil || p.at != len(p.text) {
		return nil, errArray
	}
	return list, nil
}

type arrayReader struct {
	text string
	at   int
	builtin
}

// next is the next byte, 0 at the end.
func (p *arrayReader) next() byte {
	if p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *arrayReader) list(depth int) ([]any, error) {
	if p.next() != '{' || depth > 6 { // the server has no more dimensions
		return nil, errArray
	}
	p.at++
	out := []any{}
	for p.next() != '}' {
		e, err := p.element(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		if p.next() == p.comma {
			p.at++
		} else if p.next() != '}' {
			return nil, errArray
		}
	}
	p.at++
	return out, nil
}

func (p *arrayReader) element(depth int) (any, error) {
	if p.next() == '{' {
		return p.list(depth + 1)
	}
	if p.next() == '"' {
		text, err := p.quoted()
		return decode(p.builtin.element, []byte(text)), err
	}
	start := p.at
	for c := p.next(); c != 0 && c != p.comma && c != '}'; c = p.next() {
		p.at++
	}
	text := p.text[start:p.at]
	if text == "NULL" {
		return nil, nil
	}
	return decode(p.builtin.element, []byte(text)), nil
}

func (p *arrayReader) quoted() (string, error) {
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case '"':
			p.at++
			return b.String(), nil
		case '\\':
			if p.at++; p.at >= len(p.text) {
				return "", errArray
			}
			b.WriteByte(p.text[p.at])
		default:
			b.WriteByte(c)
		}
	}
	return "", errArray
}

// nested reports whether a parameter is a list or an object, whose text depends on the type that the server wants.
func nested(parameters []any) bool {
	for _, p := range parameters {
		switch p.(type) {
		case []any, map[string]any:
			return true
		}
	}
	return false
}

// encode makes the text of a parameter: of a list that of an array if the server wants one, else JSON.
func encode(oid uint32, p any) ([]byte, error) {
	switch v := p.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case []any:
		if builtins()[oid].element != 0 {
			return arrayText(v)
		}
	}
	return json.Marshal(p)
}

func arrayText(list []any) ([]byte, error) {
	parts := make([]string, len(list))
	for i, e := range list {
		switch v := e.(type) {
		case nil:
			parts[i] = "NULL"
		case []any:
			inner, err := arrayText(v)
			if err != nil {
				return nil, err
			}
			parts[i] = string(inner)
		case string:
			parts[i] = quote(v)
		default:
			text, err := json.Marshal(v)
			if err != nil {
				return nil, fmt.Errorf("encoding an element: %w", err)
			}
			parts[i] = quote(string(text))
		}
	}
	return []byte("{" + strings.Join(parts, ",") + "}"), nil
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
