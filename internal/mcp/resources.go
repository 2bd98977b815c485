package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
)

// Resources are lists and descriptions, never values:
//
//	zvault://shop/                    the project's environments
//	zvault://shop/?env=production     the secrets of one
//	zvault://shop/KEY?env=production  one secret; without env, in the environment in force
const (
	listTemplate   = "zvault://{project}/{?env}"
	secretTemplate = "zvault://{project}/{key}{?env}"
	jsonType       = "application/json"
)

func (s *Server) addResources() {
	s.sdk.AddResourceTemplate(&sdk.ResourceTemplate{
		Name: "secrets", Title: "Secrets of an environment", MIMEType: jsonType, URITemplate: listTemplate,
		Description: "Names, versions, tags and comments of the secrets of an environment; without env, the environments of the project. No values.",
	}, s.read)
	s.sdk.AddResourceTemplate(&sdk.ResourceTemplate{
		Name: "secret", Title: "A secret", MIMEType: jsonType, URITemplate: secretTemplate,
		Description: "What is known of one secret: version, tags, comment, and what the project expects of it. Not its value.",
	}, s.read)
}

// address is what a resource's URI names.
type address struct{ project, key, env string }

func (a address) uri() string {
	u := "zvault://" + a.project + "/" + a.key
	if a.env != "" {
		u += "?env=" + url.QueryEscape(a.env)
	}
	return u
}

// parseAddress reads a resource's URI.
func parseAddress(uri string) (address, error) {
	rest, ok := strings.CutPrefix(uri, "zvault://")
	if !ok {
		return address{}, fmt.Errorf("reading %q: it does not begin with zvault://", uri)
	}
	path, query, _ := strings.Cut(rest, "?")
	project, key, ok := strings.Cut(path, "/")
	if err := ref.ValidProject(project); !ok || err != nil {
		return address{}, fmt.Errorf("reading %q: it names no project", uri)
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return address{}, fmt.Errorf("reading %q: %w", uri, err)
	}
	for name := range q {
		if name != "env" {
			return address{}, fmt.Errorf("reading %q: it takes env and nothing else", uri)
		}
	}
	return address{project, key, ref.CanonicalEnvironment(q.Get("env"))}, nil
}

// read answers resources/read.
func (s *Server) read(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	a, err := parseAddress(req.Params.URI)
	if err != nil {
		return nil, sdk.ResourceNotFoundError(req.Params.URI)
	}
	opened, err := s.options.Vault.Open(ctx)
	if err != nil {
		return nil, describe(err)
	}
	at, err := s.conversation(req.Session, req.Extra, req.ClientInfo()).place(ctx, req.Session)
	if err != nil {
		return nil, err
	}
	content, err := describeResource(ctx, opened.Platform, s.caller(req.ClientInfo()), a, at.env)
	if platform.KindOf(err) == platform.NotFound {
		return nil, sdk.ResourceNotFoundError(req.Params.URI)
	}
	if err != nil {
		return nil, describe(err)
	}
	text, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: req.Params.URI, MIMEType: jsonType, Text: string(text)}}}, nil
}

// described is a secret as a resource.
type described struct {
	platform.Secret
	Project string         `json:"project"`
	Env     string         `json:"env"`
	Expects *platform.Rule `json:"expects,omitempty"`
}

func describeResource(ctx context.Context, p *platform.Service, c platform.Caller, a address, inForce platform.Env) (any, error) {
	e := platform.Env{Project: a.project, Slug: a.env}
	if a.key == "" && a.env == "" {
		all, err := p.Environments(ctx, c, a.project)
		return map[string]any{"project": a.project, "environments": all}, err
	}
	if a.key == "" {
		all, err := p.List(ctx, c, e, platform.Moment{})
		return map[string]any{"project": a.project, "env": e.Slug, "secrets": all}, err
	}
	if e.Slug == "" {
		e.Slug = inForce.Slug
	}
	found, err := p.Describe(ctx, c, e, a.key)
	if err != nil {
		return nil, err
	}
	schema, _, err := p.Schema(ctx, c, a.project)
	if err != nil {
		return nil, err
	}
	d := described{Secret: found, Project: e.Project, Env: e.Slug}
	if rule, ok := schema[a.key]; ok {
		d.Expects = &rule
	}
	return d, nil
}

// listed adds the project in force and its environments to the list of resources. The secrets are in those.
func (s *Server) listed(ctx context.Context, req sdk.Request, list *sdk.ListResourcesResult) (sdk.Result, error) {
	ss, _ := req.GetSession().(*sdk.ServerSession)
	opened, err := s.options.Vault.Open(ctx)
	if err != nil {
		return nil, describe(err)
	}
	at, err := s.conversation(ss, req.GetExtra(), clientOf(req)).place(ctx, ss)
	if err != nil {
		return nil, err
	}
	envs, err := opened.Platform.Environments(ctx, s.caller(clientOf(req)), at.env.Project)
	if platform.KindOf(err) == platform.NotFound {
		return list, nil // the project is still to be made
	}
	if err != nil {
		return nil, describe(err)
	}
	add := func(a address, title, text string) {
		list.Resources = append(list.Resources, &sdk.Resource{URI: a.uri(), Name: a.uri(), Title: title, Description: text, MIMEType: jsonType})
	}
	add(address{project: at.env.Project}, "Project "+at.env.Project, "the environments of the project")
	for _, e := range envs {
		if !e.Personal {
			add(address{project: at.env.Project, env: e.Slug}, at.env.Project+"/"+e.Slug, fmt.Sprintf("%d secrets, without values", e.Secrets))
		}
	}
	return list, nil
}
