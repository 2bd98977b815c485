package mysql

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
)

// cell makes a cell of what the driver gives for a column of a type.
func cell(kind string, v any) any {
	switch x := v.(type) {
	case nil:
		return nil
	case int64:
		return table.Integer(strconv.FormatInt(x, 10))
	case uint64:
		return table.Integer(strconv.FormatUint(x, 10))
	case float32:
		return table.Float(strconv.FormatFloat(float64(x), 'g', -1, 32))
	case float64:
		return table.Float(strconv.FormatFloat(x, 'g', -1, 64))
	case string:
		return cell(kind, []byte(x))
	case []byte:
		return text(kind, x)
	default:
		return "a value that cannot be shown"
	}
}

func text(kind string, b []byte) any {
	switch strings.TrimPrefix(kind, "UNSIGNED ") {
	case "JSON":
		return table.JSON(b)
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "YEAR":
		return table.Integer(string(b))
	case "FLOAT", "DOUBLE":
		return table.Float(string(b))
	case "BIT", "BINARY", "VARBINARY", "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "GEOMETRY":
		return table.Bytes(b)
	default:
		return table.Text(b)
	}
}

// arguments are what the driver is given for parameters.
func arguments(parameters []any) []any {
	out := make([]any, len(parameters))
	for i, p := range parameters {
		switch v := p.(type) {
		case json.Number:
			out[i] = v.String()
			if n, err := v.Int64(); err == nil {
				out[i] = n
			}
		case []any, map[string]any:
			text, err := json.Marshal(v)
			if err != nil {
				panic("encoding what was decoded from JSON: " + err.Error())
			}
			out[i] = string(text)
		default:
			out[i] = p
		}
	}
	return out
}
