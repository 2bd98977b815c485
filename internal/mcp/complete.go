package mcp

import (
	"context"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// maxCompletions is what the protocol permits in one answer.
const maxCompletions = 100

// complete proposes environments, projects and names of secrets for arguments of prompts and parts of resources.
func (s *Server) complete(ctx context.Context, req *sdk.CompleteRequest) (*sdk.CompleteResult, error) {
	opened, err := s.options.Vault.Open(ctx)
	if err != nil {
		return nil, describe(err)
	}
	at, err := s.conversation(req.Session, req.Extra, req.ClientInfo()).place(ctx, req.Session)
	if err != nil {
		return nil, err
	}
	e, given := at.env, map[string]string{}
	if req.Params.Context != nil {
		given = req.Params.Context.Arguments
	}
	e.Project, e.Slug = or(given["project"], e.Project), or(given["env"], e.Slug)
	all, err := candidates(ctx, opened.Platform, s.caller(req.ClientInfo()), e, req.Params.Argument.Name)
	if err != nil && platform.KindOf(err) != platform.NotFound {
		return nil, describe(err)
	}
	values := []string{}
	for _, c := range all {
		if strings.HasPrefix(strings.ToLower(c), strings.ToLower(req.Params.Argument.Value)) {
			values = append(values, c)
		}
	}
	total := len(values)
	return &sdk.CompleteResult{Completion: sdk.CompletionResultDetails{
		Values: values[:min(total, maxCompletions)], Total: total, HasMore: total > maxCompletions,
	}}, nil
}

func candidates(ctx context.Context, p *platform.Service, c platform.Caller, e platform.Env, argument string) ([]string, error) {
	var names []string
	switch argument {
	case "env", "from":
		all, err := p.Environments(ctx, c, e.Project)
		for _, x := range all {
			if !x.Personal {
				names = append(names, x.Slug)
			}
		}
		return names, err
	case "project":
		all, err := p.Projects(ctx, c)
		for _, x := range all {
			names = append(names, x.Slug)
		}
		return names, err
	case "name", "key":
		all, err := p.List(ctx, c, e, platform.Moment{})
		for _, x := range all {
			names = append(names, x.Name)
		}
		return names, err
	}
	return nil, nil
}
