package cli

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// lookAgain is how long an open vault is taken to be still unsealed: a person may seal it in another terminal meanwhile.
const lookAgain = 2 * time.Second

// mcpVault is the local vault of an MCP server: opened when it is first needed, and given up when somebody seals it.
type mcpVault struct {
	home    string
	options local.Options

	mu     sync.Mutex
	vault  *local.Vault
	looked time.Time
}

var (
	_ mcp.Vault = (*mcpVault)(nil)
	_ tool.Home = mcpHome{}
)

// Open implements mcp.Vault.
func (m *mcpVault) Open(ctx context.Context) (mcp.Opened, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vault != nil && time.Since(m.looked) > lookAgain {
		if err := m.look(ctx); err != nil {
			return mcp.Opened{}, err
		}
	}
	if m.vault == nil {
		v, err := local.Open(ctx, m.home, m.options)
		if err != nil {
			return mcp.Opened{}, err
		}
		m.vault, m.looked = v, time.Now()
	}
	return mcp.Opened{
		Platform: m.vault.Platform, Home: mcpHome{m, m.vault}, Grants: grant.NewStore(m.vault.Barrier, nil), Record: m.vault.Audit,
	}, nil
}

// look opens the vault a second time, to see whether it still can be. If not, the first is closed.
func (m *mcpVault) look(ctx context.Context) error {
	again, err := local.Open(ctx, m.home, m.options)
	if err == nil {
		m.looked = time.Now()
		return again.Close()
	}
	if errors.Is(err, local.ErrSealed) || errors.Is(err, local.ErrNoVault) {
		return errors.Join(err, m.closeLocked())
	}
	return err
}

func (m *mcpVault) closeLocked() error {
	if m.vault == nil {
		return nil
	}
	v := m.vault
	m.vault = nil
	return v.Close()
}

// barrier is the one of the open vault, nil if it is not.
func (m *mcpVault) barrier() *barrier.Barrier {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vault == nil {
		return nil
	}
	return m.vault.Barrier
}

// Close closes the vault, if it is open.
func (m *mcpVault) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closeLocked()
}

// mcpHome is the vault for the tools that look after it.
type mcpHome struct {
	m     *mcpVault
	vault *local.Vault
}

// State implements tool.Home.
func (h mcpHome) State() tool.State { return tool.State{Path: h.vault.Home, Seal: h.vault.Seal.Type} }

// Log implements tool.Home.
func (h mcpHome) Log(ctx context.Context, f audit.Filter) iter.Seq2[audit.Entry, error] {
	return h.vault.Audit.Query(ctx, f)
}

// Backup implements tool.Home.
func (h mcpHome) Backup(ctx context.Context, w io.Writer, passphrase []byte) error {
	return h.vault.Backup(ctx, w, passphrase)
}

// Lock implements tool.Home. The next look finds the vault sealed.
func (h mcpHome) Lock(ctx context.Context) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.m.looked = time.Time{}
	return h.vault.Lock(ctx)
}
