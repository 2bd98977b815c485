package identity_test

import (
	"context"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/identity"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/conversation"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// mounts are three auth methods.
type mounts struct{}

var (
	people = &vault.Mount{Path: "auth/userpass/", Type: "userpass", Accessor: "auth_userpass_1"}
	roles  = &vault.Mount{Path: "auth/approle/", Type: "approle", Accessor: "auth_approle_1"}
	other  = &vault.Mount{Path: "auth/other/", Type: "userpass", Accessor: "auth_userpass_2"}
)

func (mounts) Table(context.Context) (*vault.Table, error) {
	return &vault.Table{Mounts: map[string]*vault.Mount{people.Path: people, roles.Path: roles, other.Path: other}}, nil
}

func newStore() *identity.Store {
	st := identity.New().Count()
	st.Manage(mounts{})
	return st
}

// TestConversations holds the routes to what OpenBao answers to the same requests.
func TestConversations(t *testing.T) {
	conversation.Run(t, func() *logical.Backend { return newStore().Backend })
}
