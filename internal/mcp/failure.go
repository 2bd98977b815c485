package mcp

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/barrier"
	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/local"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// Keys of what results and errors carry beside their content.
const (
	metaUntrusted = "zvault/untrusted" // true: others wrote what the result holds
	metaCode      = "zvault/code"      // the code of a failure
)

// errInternal stands for what is not for the model to know.
var errInternal = &tool.Error{Code: "internal", Message: "something went wrong inside of ZVault; the person finds more in the server's log"}

// failed makes the result of a failure: what the model can act on. Anything unforeseen is for the operator only.
func (s *Server) failed(ctx context.Context, name string, err error) *sdk.CallToolResult {
	e := describe(err)
	if e == errInternal && !errors.Is(err, errInternal) {
		s.options.Log.Error("a tool failed", "tool", name, "error", s.masker.forLog(ctx, err.Error()))
	}
	return failure(e)
}

func failure(e *tool.Error) *sdk.CallToolResult {
	return &sdk.CallToolResult{
		IsError: true, Meta: sdk.Meta{metaCode: e.Code}, Content: []sdk.Content{&sdk.TextContent{Text: e.Message}},
	}
}

// describe makes of any error what a model may be told.
func describe(err error) *tool.Error {
	var ours *tool.Error
	var denied *grant.DeniedError
	var known *platform.Error
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &denied):
		return describeDenied(denied)
	case errors.Is(err, local.ErrSealed), errors.Is(err, barrier.ErrSealed):
		return tool.Failed("sealed", "the vault is sealed; ask the person to run `zvault unseal` in a terminal, then try again")
	case errors.Is(err, local.ErrNoVault):
		return tool.Failed("not_found", "there is no vault yet; ask the person to run `zvault init` in a terminal, then try again")
	case errors.As(err, &known):
		return describePlatform(known)
	case errors.Is(err, egress.ErrRefused):
		return tool.Failed("denied", "%v", err)
	case errors.Is(err, context.Canceled):
		return tool.Failed("cancelled", "the call was cancelled")
	case errors.Is(err, context.DeadlineExceeded):
		return tool.Failed("timeout", "the call took too long")
	}
	return errInternal
}

func describeDenied(d *grant.DeniedError) *tool.Error {
	text := d.Error()
	if d.Pending != "" {
		text = fmt.Sprintf("%s; request %s waits: ask the person to run `zvault approve %s` in a terminal, then try again", text, d.Pending, d.Pending)
	}
	return &tool.Error{Code: "denied", Message: text}
}

func describePlatform(e *platform.Error) *tool.Error {
	codes := map[platform.Kind]string{
		platform.Invalid: "invalid", platform.NotFound: "not_found", platform.Exists: "exists", platform.Conflict: "conflict",
		platform.Denied: "denied", platform.Unavailable: "unavailable",
	}
	code, ok := codes[e.Kind]
	if !ok {
		return errInternal
	}
	if e.Kind == platform.Unavailable { // the cause is the operator's
		return &tool.Error{Code: code, Message: e.Message}
	}
	return &tool.Error{Code: code, Message: e.Error()}
}
