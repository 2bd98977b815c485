package admin

import (
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type sealIn struct {
	Confirm bool `json:"confirm" jsonschema:"true: the person wants the vault closed"`
}

type sealOut struct {
	Sealed bool   `json:"sealed"`
	Undo   string `json:"undo"`
}

func sealVault() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "seal", Title: "Seal the vault", Set: tool.Admin, Destructive: true, Closes: true,
		Text: "Closes the vault for everybody until a person unseals it in a terminal. For emergencies: a leak, or a stolen machine.",
	}, func(ctx context.Context, c *tool.Call, a sealIn) (sealOut, error) {
		if !a.Confirm {
			return sealOut{}, tool.Invalid("nothing was done, because confirm is not true")
		}
		if c.Home == nil {
			return sealOut{}, tool.Failed("unavailable", "this vault cannot be sealed from here")
		}
		if err := c.Home.Lock(ctx); err != nil {
			return sealOut{}, err
		}
		return sealOut{Sealed: true, Undo: "the person runs `zvault unseal` in a terminal"}, nil
	})
}
