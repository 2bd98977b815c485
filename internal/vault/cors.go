package vault

import (
	"context"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// CORS says which pages of other origins may use the server from a browser.
type CORS struct {
	Origins []string `json:"origins"` // or "*" alone
	Headers []string `json:"headers"`
}

// CORSEntry is where the setting is in the store.
const CORSEntry = "config/cors"

// StandardHeaders may always be sent by such pages.
func StandardHeaders() []string {
	return []string{
		"Content-Type", "X-Requested-With", "X-Vault-Namespace", "X-Vault-No-Request-Forwarding", "X-Vault-Token", "Authorization",
		"X-Vault-Wrap-Format", "X-Vault-Wrap-TTL", "X-Vault-Policy-Override", "X-Vault-Request",
	}
}

// CORS returns the setting, nil if no page of another origin may use the server: also while the vault is sealed.
func (c *Core) CORS(ctx context.Context) (*CORS, error) {
	c.state.RLock()
	defer c.state.RUnlock()
	if c.opened == nil {
		return nil, nil
	}
	return logical.Load[CORS](ctx, c.root, CORSEntry)
}

// Allows reports whether a page of an origin may use the server.
func (c *CORS) Allows(origin string) bool {
	return c != nil && (slices.Contains(c.Origins, origin) || slices.Contains(c.Origins, "*"))
}
