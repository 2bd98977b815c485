package admin

import (
	"context"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

type leaseListIn struct {
	Prefix string `json:"prefix,omitempty" jsonschema:"what the ids begin with, such as database/creds/app/; empty: the first parts"`
}

type leaseListOut struct {
	Prefix string   `json:"prefix"`
	Keys   []string `json:"keys" jsonschema:"ids below the prefix; one that ends in a slash is a prefix itself"`
}

func leaseList() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "lease_list", Title: "List leases", Set: tool.Admin, ReadOnly: true, Idempotent: true, OpenWorld: true, Outside: true,
		Text: "Lists leases of the server that VAULT_ADDR names, by the beginning of their ids.",
	}, func(ctx context.Context, c *tool.Call, a leaseListIn) (leaseListOut, error) {
		client, err := connect(c)
		if err != nil {
			return leaseListOut{}, err
		}
		defer client.Close()
		out := leaseListOut{Prefix: a.Prefix, Keys: []string{}}
		found, err := client.List(ctx, "sys/leases/lookup/"+strings.Trim(a.Prefix, "/"), nil)
		if vaultclient.StatusOf(err) == 404 {
			return out, nil
		}
		if err != nil {
			return out, answered(err)
		}
		if found == nil {
			return out, nil
		}
		keys, _ := found.Data["keys"].([]any)
		for _, k := range keys {
			if text, ok := k.(string); ok {
				out.Keys = append(out.Keys, text)
			}
		}
		return out, nil
	})
}
