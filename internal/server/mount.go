package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// ErrNoToken is returned by Holder for a token that there is not, or that may not even look itself up.
var ErrNoToken = errors.New("there is no such token")

// mounts are handlers of others by the path that they answer, with all below it.
type mounts map[string]http.Handler

// Mount has a handler answer a path and all below it: /mcp, say. It is called before the server listens. The handler verifies who
// asks by itself; Holder helps it.
func (s *Server) Mount(path string, h http.Handler) {
	if s.mounts == nil {
		s.mounts = mounts{}
	}
	s.mounts[path] = h
}

// find returns the handler of a path.
func (m mounts) find(path string) (http.Handler, bool) {
	for at, h := range m {
		if path == at || strings.HasPrefix(path, at+"/") {
			return h, true
		}
	}
	return nil, false
}

// Holder is whose a token is.
type Holder struct {
	Accessor string
	Policies []string
	Expires  time.Time // zero: never
}

// Holder looks a token up as its holder would, which is recorded as any other request is. ErrNoToken if there is none; other
// errors say that it cannot be known now, because the server is sealed for one.
func (s *Server) Holder(ctx context.Context, token string) (Holder, error) {
	if token == "" {
		return Holder{}, ErrNoToken
	}
	reply := s.core.Handle(ctx, &vault.Call{
		ID: uuid.NewString(), Operation: logical.Read, Path: "auth/token/lookup-self", Token: token, Header: func(string) string { return "" },
		Time: s.clock(), Method: http.MethodGet,
	})
	switch reply.Status {
	case http.StatusOK:
	case http.StatusForbidden:
		return Holder{}, ErrNoToken
	default:
		return Holder{}, fmt.Errorf("looking a token up: status %d", reply.Status)
	}
	var answer struct {
		Data struct {
			Accessor string    `json:"accessor"`
			Policies []string  `json:"policies"`
			Expires  time.Time `json:"expire_time"`
		} `json:"data"`
	}
	if err := json.Unmarshal(reply.Body, &answer); err != nil || answer.Data.Accessor == "" {
		return Holder{}, errors.New("looking a token up: the answer is not what it should be")
	}
	return Holder{answer.Data.Accessor, answer.Data.Policies, answer.Data.Expires}, nil
}
