package tooltest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
)

type in struct {
	Name string `json:"name" jsonschema:"a name"`
}

type out struct {
	Length int `json:"length" jsonschema:"of the value"`
}

func TestNew(t *testing.T) {
	t.Parallel()
	c := tooltest.New(t, map[string]string{"KEY": "four"})
	x, err := tool.New(tool.Description{Name: "measure"}, func(ctx context.Context, c *tool.Call, in in) (out, error) {
		if err := c.Gate.Authorize(ctx, grant.Use{Secrets: []string{in.Name}, Tool: "measure"}); err != nil {
			return out{}, err
		}
		values, err := c.Session.Reveal(ctx, c.Env, []string{in.Name})
		return out{values[in.Name].Len()}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := tooltest.Run(t.Context(), t, []tool.Tool{x}, "measure", c, map[string]any{"name": "KEY"})
	if err != nil || got["length"] != 4.0 {
		t.Errorf("%v, %v; want a length of 4", got, err)
	}
	gate, session := tooltest.GateOf(c), tooltest.SessionOf(c)
	if last := gate.Last(); last.Tool != "measure" || len(gate.Uses()) != 1 {
		t.Errorf("the gate remembers %+v", gate.Uses())
	}
	if got := session.Revealed(); len(got) != 1 || got[0] != "KEY" {
		t.Errorf("the session remembers %q", got)
	}
	if v := session.Guarded()["KEY"]; string(v.Reveal()) != "four" {
		t.Error("a revealed value is not guarded")
	}
	gate.Deny("no")
	_, err = tooltest.Run(t.Context(), t, []tool.Tool{x}, "measure", c, map[string]any{"name": "KEY"})
	var denied *grant.DeniedError
	if !errors.As(err, &denied) || len(session.Revealed()) != 1 {
		t.Errorf("after Deny: %v, revealed %q", err, session.Revealed())
	}
}
