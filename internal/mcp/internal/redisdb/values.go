package redisdb

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// cutter makes JSON of an answer as long as there is room.
type cutter struct {
	limits   tool.Limits
	elements int
	bytes    int
	left     bool // out an element
	short    bool // a text
}

// cut makes a Reply of an answer.
func cut(v any, limits tool.Limits) Reply {
	c := &cutter{limits: limits, elements: limits.Keys, bytes: limits.Object}
	r := Reply{Value: c.value(v)}
	var hints []string
	if c.left {
		hints = append(hints, fmt.Sprintf("only the first elements are here (at most %d, and %d bytes); ask for a part, as SCAN, HSCAN, "+
			"SSCAN and ZSCAN with COUNT do, or LRANGE and ZRANGE", limits.Keys, limits.Object))
	}
	if c.short {
		hints = append(hints, fmt.Sprintf("texts were cut at %d bytes; GETRANGE gives a part", limits.Body))
	}
	r.Truncated, r.Hint = c.left || c.short, strings.Join(hints, "; ")
	return r
}

func (c *cutter) value(v any) any {
	switch x := v.(type) {
	case nil:
		return nil
	case string:
		return c.text(x)
	case int64:
		c.bytes -= 8
		return table.Integer(strconv.FormatInt(x, 10))
	case float64:
		c.bytes -= 8
		return table.Float(strconv.FormatFloat(x, 'g', -1, 64))
	case bool:
		return x
	case *big.Int:
		return c.text(x.String())
	case redis.Error:
		return c.text(x.Error())
	case []any:
		return c.list(x)
	case map[any]any:
		return c.object(x)
	default:
		return "a value that cannot be shown"
	}
}

func (c *cutter) text(s string) any {
	text, ok := table.Text([]byte(s)).(string)
	if !ok || len(text) > c.limits.Body {
		c.short = true
		text = table.Cut(text, c.limits.Body)
	}
	c.bytes -= len(text)
	return text
}

// room takes room for one element.
func (c *cutter) room() bool {
	if c.elements <= 0 || c.bytes <= 0 {
		c.left = true
		return false
	}
	c.elements--
	return true
}

func (c *cutter) list(all []any) []any {
	out := []any{}
	for _, e := range all {
		if !c.room() {
			break
		}
		out = append(out, c.value(e))
	}
	return out
}

// object makes an object of a map; keys are in order, so that the same answer looks the same.
func (c *cutter) object(all map[any]any) map[string]any {
	names := map[string]any{}
	for k := range all {
		names[fmt.Sprint(c.key(k))] = k
	}
	order := make([]string, 0, len(names))
	for name := range names {
		order = append(order, name)
	}
	slices.Sort(order)
	out := map[string]any{}
	for _, name := range order {
		if !c.room() {
			break
		}
		out[name] = c.value(all[names[name]])
	}
	return out
}

func (c *cutter) key(k any) any {
	if s, ok := k.(string); ok {
		return c.text(s)
	}
	return k
}
