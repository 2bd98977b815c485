package admin

import (
	"context"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type leaseRevokeIn struct {
	ID string `json:"id" jsonschema:"the id of the lease"`
}

type leaseRevokeOut struct {
	ID      string `json:"id"`
	Revoked bool   `json:"revoked"`
}

func leaseRevoke() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "lease_revoke", Title: "Revoke a lease", Set: tool.Admin, Destructive: true, Idempotent: true, OpenWorld: true,
		Text: "Revokes one lease of the server that VAULT_ADDR names; the credential that it stands for stops working.",
	}, func(ctx context.Context, c *tool.Call, a leaseRevokeIn) (leaseRevokeOut, error) {
		if a.ID == "" || strings.HasSuffix(a.ID, "/") {
			return leaseRevokeOut{}, tool.Invalid("id names one lease, not a prefix")
		}
		client, err := connect(c)
		if err != nil {
			return leaseRevokeOut{}, err
		}
		defer client.Close()
		if _, err := client.Post(ctx, "sys/leases/revoke", map[string]any{"lease_id": a.ID, "sync": true}); err != nil {
			return leaseRevokeOut{}, answered(err)
		}
		return leaseRevokeOut{ID: a.ID, Revoked: true}, nil
	})
}
