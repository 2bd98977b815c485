package mcp

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// guarded refuses tools that are not there, limits what is not a tool's call (those are limited where they are made), lists
// resources, and notes that somebody listens.
func (s *Server) guarded(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		switch method {
		case callTool:
			if err := s.knownTool(req); err != nil {
				return nil, err
			}
		case readResource, getPrompt, completeWord, listResources:
			ss, _ := req.GetSession().(*sdk.ServerSession)
			release, err := s.conversation(ss, req.GetExtra(), clientOf(req)).enter()
			if err != nil {
				return nil, &jsonrpc.Error{Code: codeOverloaded, Message: err.Error()}
			}
			defer release()
		case listen:
			s.watch.start()
		}
		result, err := next(ctx, method, req)
		if list, ok := result.(*sdk.ListResourcesResult); ok && err == nil {
			return s.listed(ctx, req, list)
		}
		return result, err
	}
}

// knownTool returns the protocol's error for a tool that is not there, with the nearest that is.
func (s *Server) knownTool(req sdk.Request) error {
	p, ok := req.GetParams().(*sdk.CallToolParamsRaw)
	if !ok || s.tools[p.Name] != nil || s.others[p.Name] {
		return nil
	}
	data, err := json.Marshal(map[string]string{"tool": p.Name})
	if err != nil {
		return err
	}
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: s.unknownTool(p.Name), Data: data}
}

// clientOf is what the client of a request calls itself.
func clientOf(req sdk.Request) *sdk.Implementation {
	if r, ok := req.(interface{ ClientInfo() *sdk.Implementation }); ok {
		return r.ClientInfo()
	}
	return nil
}
