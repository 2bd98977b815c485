package mcp_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/mcp"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

func TestResources(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, revision string) {
		h := newHome(t)
		h.put(t, "development", "STRIPE_KEY", "sk_live_4242424242")
		h.put(t, "production", "STRIPE_KEY", "sk_live_9999999999")
		v, note := secret.Of("pg-password-here"), "the former one was sk_live_4242424242"
		_, err := h.Platform.Apply(t.Context(), ada, platform.Env{Project: "shop", Slug: "production"}, platform.Batch{
			Changes: []platform.Change{{Name: "PG", Value: &v, Comment: &note, Tags: map[string]string{"was": "sk_live_9999999999"}}},
		})
		check(t, err)
		check(t, h.Platform.SetSchema(t.Context(), ada, "shop", platform.Schema{"PG": {Required: true}}))
		c := dial(t, h.serve(t, nil), revision, nil)
		list, err := c.ListResources(t.Context(), nil)
		check(t, err)
		var uris []string
		for _, r := range list.Resources {
			uris = append(uris, r.URI)
		}
		want := []string{"zvault://shop/", "zvault://shop/?env=development", "zvault://shop/?env=staging", "zvault://shop/?env=production"}
		if !slices.Equal(uris, want) {
			t.Errorf("%v, want %v", uris, want)
		}
		for uri, words := range map[string][]string{
			"zvault://shop/":                    {`"development"`, `"production"`, `"secrets":2`},
			"zvault://shop/?env=production":     {"PG", "[redacted:STRIPE_KEY]"},
			"zvault://shop/?env=prod":           {"PG"},
			"zvault://shop/STRIPE_KEY":          {`"env":"development"`},
			"zvault://shop/PG?env=production":   {`"required":true`, "the former one was [redacted:STRIPE_KEY]"},
			"zvault://shop/STRIPE_KEY?env=prod": {`"env":"production"`},
		} {
			r, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
			if err != nil {
				t.Errorf("%s: %v", uri, err)
				continue
			}
			holds(t, r.Contents[0].Text, words...)
		}
		for _, uri := range []string{
			"zvault://shop/NONE", "zvault://none/", "zvault://shop/?env=none", "zvault://shop/?x=1", "zvault://shop", "zvault:///X", "file:///etc/passwd", "zvault://shop/A/B",
		} {
			if r, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri}); err == nil {
				t.Errorf("%s was read: %+v", uri, r.Contents[0])
			}
		}
		for _, v := range []string{"sk_live_4242424242", "sk_live_9999999999", "pg-password-here"} {
			if strings.Contains(c.String(), v) {
				t.Error("the transcript holds a value")
			}
		}
	})
}

// A subscriber hears of a change that another program makes, and of nothing else.
func TestResources_Subscribe(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, revision string) {
		h := newHome(t)
		h.put(t, "production", "OTHER", "value-of-another")
		s := h.serve(t, func(o *mcp.Options) { o.Look = 10 * time.Millisecond })
		heard := make(chan string, 16)
		c := dial(t, s, revision, &sdk.ClientOptions{ResourceUpdatedHandler: func(_ context.Context, r *sdk.ResourceUpdatedNotificationRequest) { heard <- r.Params.URI }})
		for _, uri := range []string{"zvault://shop/?env=production", "zvault://shop/KEY?env=production", "zvault://shop/?env=staging"} {
			check(t, c.Subscribe(t.Context(), &sdk.SubscribeParams{URI: uri}))
		}
		h.put(t, "production", "KEY", "value-of-the-key")
		got := []string{<-heard, <-heard}
		slices.Sort(got)
		if !slices.Equal(got, []string{"zvault://shop/?env=production", "zvault://shop/KEY?env=production"}) {
			t.Errorf("heard of %v", got)
		}
		check(t, c.Unsubscribe(t.Context(), &sdk.UnsubscribeParams{URI: "zvault://shop/KEY?env=production"}))
		h.put(t, "staging", "KEY", "value-of-the-key")
		if uri := <-heard; uri != "zvault://shop/?env=staging" {
			t.Errorf("heard of %s", uri)
		}
		if revision == withSessions {
			if err := c.Subscribe(t.Context(), &sdk.SubscribeParams{URI: "file:///x"}); err == nil {
				t.Error("a resource that is none was subscribed to")
			}
		}
	})
}

func TestPrompts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, revision string) {
		h := newHome(t)
		h.put(t, "development", "STRIPE_KEY", "sk_live_4242424242")
		s := h.serve(t, nil)
		c := dial(t, s, revision, nil)
		list, err := c.ListPrompts(t.Context(), nil)
		check(t, err)
		if len(list.Prompts) != 3 {
			t.Errorf("%d prompts", len(list.Prompts))
		}
		for _, p := range list.Prompts {
			given := map[string]string{"name": "STRIPE_KEY", "file": "sk_live_4242424242"}
			r, err := c.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: p.Name, Arguments: given})
			check(t, err)
			said := r.Messages[0].Content.(*sdk.TextContent).Text
			// A prompt names only tools that there are.
			for word := range strings.FieldsSeq(said) {
				name := strings.Trim(word, "().,;:")
				if strings.HasPrefix(name, mcp.Prefix) && !slices.Contains(append(s.Names(), "zvault_check_service", "zvault_http_request", "zvault_query_database"), name) {
					t.Errorf("%s names %s, which there is not", p.Name, name)
				}
			}
			if strings.Contains(said, "4242") {
				t.Errorf("%s holds a value that the vault has", p.Name)
			}
		}
		if _, err := c.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "none"}); err == nil {
			t.Error("a prompt that there is not was given")
		}
	})
}

func TestComplete(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, revision string) {
		h := newHome(t)
		for _, name := range []string{"STRIPE_KEY", "STRIPE_URL", "DB"} {
			h.put(t, "production", name, "value-of-"+name)
		}
		c := dial(t, h.serve(t, nil), revision, nil)
		prompt, resource := &sdk.CompleteReference{Type: "ref/prompt", Name: "rotate_key"}, &sdk.CompleteReference{Type: "ref/resource", URI: "zvault://{project}/{key}{?env}"}
		for _, x := range []struct {
			ref         *sdk.CompleteReference
			name, value string
			given       map[string]string
			want        []string
		}{
			{prompt, "env", "", nil, []string{"development", "staging", "production"}},
			{prompt, "env", "PRO", nil, []string{"production"}},
			{prompt, "name", "str", map[string]string{"env": "production"}, []string{"STRIPE_KEY", "STRIPE_URL"}},
			{prompt, "name", "", nil, []string{}},
			{resource, "project", "s", nil, []string{"shop"}},
			{resource, "key", "D", map[string]string{"project": "shop", "env": "production"}, []string{"DB"}},
			{resource, "key", "", map[string]string{"project": "none"}, []string{}},
			{prompt, "other", "", nil, []string{}},
		} {
			r, err := c.Complete(t.Context(), &sdk.CompleteParams{
				Ref: x.ref, Argument: sdk.CompleteParamsArgument{Name: x.name, Value: x.value}, Context: &sdk.CompleteContext{Arguments: x.given},
			})
			if err != nil || !slices.Equal(r.Completion.Values, x.want) {
				t.Errorf("%s %q: %v, %v, want %v", x.name, x.value, r, err, x.want)
			}
		}
	})
}
