package mcp_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/mcp"
)

// The conformance suite wants a server to offer tools, prompts and resources that it knows. They are added here to a server of
// ours, behind the same funnel and transport, and stand for what our own tools do with the protocol.

// Files of one pixel and of no sound.
const (
	pixel   = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	silence = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA="
)

// fixtures adds what the suite wants.
func fixtures(t *testing.T, s *mcp.Server) {
	f := &suite{t: t, s: s, key: rand.Text()}
	f.content()
	f.conversations()
	f.rounds()
	f.changes()
	f.resources()
	f.prompts()
}

type suite struct {
	t   *testing.T
	s   *mcp.Server
	key string // signs states
}

type handler = func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error)

// tool adds a tool that takes anything, unless a schema is given.
func (f *suite) tool(name string, run handler, schema ...string) {
	in := json.RawMessage(`{"type":"object"}`)
	if len(schema) > 0 {
		in = json.RawMessage(schema[0])
	}
	f.s.Other(name)
	f.s.SDK().AddTool(&sdk.Tool{Name: name, Description: "a tool of the conformance suite", InputSchema: in}, run)
}

func says(content ...sdk.Content) handler {
	return func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return &sdk.CallToolResult{Content: content}, nil
	}
}

func words(format string, a ...any) *sdk.CallToolResult {
	return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: fmt.Sprintf(format, a...)}}}
}

func (f *suite) decoded(text string) []byte {
	b, err := base64.StdEncoding.DecodeString(text)
	check(f.t, err)
	return b
}

func (f *suite) content() {
	image := &sdk.ImageContent{Data: f.decoded(pixel), MIMEType: "image/png"}
	embedded := &sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "test://embedded-resource", MIMEType: "text/plain", Text: "an embedded resource"}}
	f.tool("test_simple_text", says(&sdk.TextContent{Text: "This is a simple text response for testing."}))
	f.tool("test_image_content", says(image))
	f.tool("test_audio_content", says(&sdk.AudioContent{Data: f.decoded(silence), MIMEType: "audio/wav"}))
	f.tool("test_embedded_resource", says(embedded))
	f.tool("test_multiple_content_types", says(&sdk.TextContent{Text: "several kinds"}, image, embedded))
	f.tool("test_error_handling", func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		r := words("This tool intentionally returns an error for testing")
		r.IsError = true
		return r, nil
	})
	f.tool("json_schema_2020_12_tool", says(&sdk.TextContent{Text: "taken"}), `{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
		"$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
		"properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}, "contactMethod": {"type": "string", "enum": ["phone", "email"]},
			"phone": {"type": "string"}, "email": {"type": "string"}},
		"allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
		"if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]}, "then": {"required": ["phone"]}, "else": {"required": ["email"]},
		"additionalProperties": false}`)
	f.tool("test_x_mcp_header", says(&sdk.TextContent{Text: "taken"}),
		`{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"level":{"type":"integer"}}}`)
}

func (f *suite) conversations() {
	log := func(ctx context.Context, r *sdk.CallToolRequest, text string) error {
		return r.Session.Log(ctx, &sdk.LoggingMessageParams{Level: "info", Data: text})
	}
	f.tool("test_tool_with_logging", func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		for _, text := range []string{"begun", "at work", "done"} {
			if err := log(ctx, r, text); err != nil {
				return nil, err
			}
		}
		return words("logged"), nil
	})
	f.tool("test_logging_tool", func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return words("tried to log"), log(ctx, r, "only for who asked")
	})
	f.tool("test_tool_with_progress", func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		token := r.Params.GetProgressToken()
		for _, done := range []float64{0, 50, 100} {
			if err := r.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: token, Progress: done, Total: 100, Message: "on the way"}); err != nil {
				return nil, err
			}
		}
		return words("%v", token), nil
	})
	f.tool("test_sampling", func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		var in struct{ Prompt string }
		if err := json.Unmarshal(r.Params.Arguments, &in); err != nil {
			return nil, err
		}
		answer, err := r.Session.CreateMessage(ctx, &sdk.CreateMessageParams{MaxTokens: 100, Messages: []*sdk.SamplingMessage{{Role: "user", Content: &sdk.TextContent{Text: in.Prompt}}}})
		if err != nil {
			return nil, err
		}
		text, _ := answer.Content.(*sdk.TextContent)
		return words("LLM response: %s", text.Text), nil
	})
	f.form("test_elicitation", `{"username":{"type":"string","description":"a name"}},"required":["username"`)
	f.form("test_elicitation_sep1034_defaults", `{"name":{"type":"string","default":"John Doe"},"age":{"type":"integer","default":30},"score":{"type":"number","default":95.5},
		"status":{"type":"string","enum":["active","inactive","pending"],"default":"active"},"verified":{"type":"boolean","default":true}},"required":[`)
	f.form("test_elicitation_sep1330_enums", `{"untitledSingle":{"type":"string","enum":["option1","option2","option3"]},
		"titledSingle":{"type":"string","oneOf":[{"const":"value1","title":"First Option"},{"const":"value2","title":"Second Option"},{"const":"value3","title":"Third Option"}]},
		"legacyEnum":{"type":"string","enum":["opt1","opt2","opt3"],"enumNames":["Option One","Option Two","Option Three"]},
		"untitledMulti":{"type":"array","items":{"type":"string","enum":["option1","option2","option3"]}},
		"titledMulti":{"type":"array","items":{"anyOf":[{"const":"value1","title":"First Choice"},{"const":"value2","title":"Second Choice"},{"const":"value3","title":"Third Choice"}]}}},"required":[`)
	f.tool("test_reconnection", func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if r.Extra != nil && r.Extra.CloseSSEStream != nil {
			r.Extra.CloseSSEStream(sdk.CloseSSEStreamArgs{RetryAfter: 10 * time.Millisecond})
		}
		wait, cancel := context.WithTimeout(ctx, 100*time.Millisecond) // for the client to be back
		defer cancel()
		<-wait.Done()
		return words("there again"), nil
	})
	f.tool("test_streaming_elicitation", says(&sdk.TextContent{Text: "no requests on this stream"}))
	f.tool("test_missing_capability", func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if caps := r.ClientCapabilities(); caps != nil && caps.Sampling != nil {
			return words("the client can"), nil
		}
		data, err := json.Marshal(sdk.MissingRequiredClientCapabilityData{RequiredCapabilities: &sdk.ClientCapabilities{Sampling: &sdk.SamplingCapabilities{}}})
		check(f.t, err)
		return nil, &jsonrpc.Error{Code: sdk.CodeMissingRequiredClientCapabilities, Message: "the client has to offer sampling", Data: data}
	})
}

// form adds a tool that asks by a form with the given properties.
func (f *suite) form(name, properties string) {
	f.tool(name, func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		var in struct{ Message string }
		if err := json.Unmarshal(r.Params.Arguments, &in); r.Params.Arguments != nil && err != nil {
			return nil, err
		}
		if in.Message == "" {
			in.Message = "Please fill this in"
		}
		schema := json.RawMessage(`{"type":"object","properties":` + properties + `]}`)
		answer, err := r.Session.Elicit(ctx, &sdk.ElicitParams{Message: in.Message, RequestedSchema: schema})
		if err != nil {
			return nil, err
		}
		return words("action=%s, content=%v", answer.Action, answer.Content), nil
	})
}

// sign makes a state that cannot be changed unnoticed.
func (f *suite) sign(state string) string {
	mac := hmac.New(sha256.New, []byte(f.key))
	_, _ = mac.Write([]byte(state))
	return state + "|" + hex.EncodeToString(mac.Sum(nil))
}

// signed reads a state, or returns the protocol's error.
func (f *suite) signed(state string) (string, error) {
	plain, _, _ := strings.Cut(state, "|")
	if !hmac.Equal([]byte(f.sign(plain)), []byte(state)) {
		return "", &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "the state is not one that was given out"}
	}
	return plain, nil
}

// answer is what a person has filled in, nil if they have not.
func answer(r sdk.InputResponseMap, id string) map[string]any {
	if e, ok := r[id].(*sdk.ElicitResult); ok && e.Action == "accept" {
		return e.Content
	}
	return nil
}

// field asks for one text, flag or the like.
func field(name, kind string) *sdk.ElicitParams {
	return &sdk.ElicitParams{Message: "Please give " + name, RequestedSchema: json.RawMessage(
		fmt.Sprintf(`{"type":"object","properties":{%q:{"type":%q}},"required":[%q]}`, name, kind, name))}
}

func sampled(r sdk.InputResponseMap, id string) (string, bool) {
	m, ok := r[id].(*sdk.CreateMessageWithToolsResult)
	if !ok || len(m.Content) == 0 {
		return "", false
	}
	text, ok := m.Content[0].(*sdk.TextContent)
	return text.Text, ok
}

func asking(state string, requests sdk.InputRequestMap) *sdk.CallToolResult {
	return &sdk.CallToolResult{InputRequests: requests, RequestState: state}
}

func question(text string) *sdk.CreateMessageParams {
	return &sdk.CreateMessageParams{MaxTokens: 100, Messages: []*sdk.SamplingMessage{{Role: "user", Content: &sdk.TextContent{Text: text}}}}
}

// rounds adds tools that need several rounds.
func (f *suite) rounds() {
	f.tool("test_input_required_result_elicitation", func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if name, _ := answer(r.Params.InputResponses, "user_name")["name"].(string); name != "" {
			return words("Hello, %s!", name), nil
		}
		return asking("", sdk.InputRequestMap{"user_name": field("name", "string")}), nil
	})
	f.tool("test_input_required_result_sampling", func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if text, ok := sampled(r.Params.InputResponses, "capital_question"); ok {
			return words("The model said: %s", text), nil
		}
		return asking("", sdk.InputRequestMap{"capital_question": question("What is the capital of France?")}), nil
	})
	f.tool("test_input_required_result_list_roots", func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if roots, ok := r.Params.InputResponses["client_roots"].(*sdk.ListRootsResult); ok {
			return words("%d roots", len(roots.Roots)), nil
		}
		return asking("", sdk.InputRequestMap{"client_roots": &sdk.ListRootsParams{}}), nil
	})
	for _, name := range []string{"test_input_required_result_request_state", "test_input_required_result_tampered_state"} {
		f.tool(name, func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			if r.Params.RequestState != "" {
				if _, err := f.signed(r.Params.RequestState); err != nil {
					return nil, err
				}
				if answer(r.Params.InputResponses, "confirm") != nil {
					return words("state-ok"), nil
				}
			}
			return asking(f.sign("confirm"), sdk.InputRequestMap{"confirm": field("ok", "boolean")}), nil
		})
	}
	f.tool("test_input_required_result_multiple_inputs", func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		name := answer(r.Params.InputResponses, "user_name")
		greeting, ok := sampled(r.Params.InputResponses, "greeting")
		roots, has := r.Params.InputResponses["client_roots"].(*sdk.ListRootsResult)
		if name != nil && ok && has {
			return words("%s %v, %d roots", greeting, name["name"], len(roots.Roots)), nil
		}
		return asking(f.sign("several"), sdk.InputRequestMap{"user_name": field("name", "string"), "greeting": question("Greet somebody"), "client_roots": &sdk.ListRootsParams{}}), nil
	})
	f.tool("test_input_required_result_multi_round", func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if r.Params.RequestState == "" {
			return asking(f.sign("1"), sdk.InputRequestMap{"step1": field("name", "string")}), nil
		}
		state, err := f.signed(r.Params.RequestState)
		if err != nil {
			return nil, err
		}
		if state == "1" {
			return asking(f.sign(fmt.Sprintf("2 %v", answer(r.Params.InputResponses, "step1")["name"])), sdk.InputRequestMap{"step2": field("color", "string")}), nil
		}
		return words("%s likes %v", state[2:], answer(r.Params.InputResponses, "step2")["color"]), nil
	})
	f.tool("test_input_required_result_capabilities", func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		caps, requests := r.ClientCapabilities(), sdk.InputRequestMap{}
		switch {
		case len(r.Params.InputResponses) > 0:
			return words("answered"), nil
		case caps == nil:
			return words("the client can do nothing"), nil
		}
		if caps.Elicitation != nil {
			requests["user_name"] = field("name", "string")
		}
		if caps.Sampling != nil {
			requests["greeting"] = question("Greet somebody")
		}
		if len(requests) == 0 {
			return words("the client can do nothing"), nil
		}
		return asking("", requests), nil
	})
}

// changes adds tools that change the lists.
func (f *suite) changes() {
	f.tool("test_trigger_tool_change", func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		f.tool("test_passing", says(&sdk.TextContent{Text: "x"}))
		return words("changed"), nil
	})
	f.tool("test_trigger_prompt_change", func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		f.prompt("test_passing", nil, &sdk.TextContent{Text: "x"})
		return words("changed"), nil
	})
}

func (f *suite) resources() {
	text := func(uri, kind, text string, blob []byte) *sdk.ReadResourceResult {
		return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: kind, Text: text, Blob: blob}}}
	}
	for uri, x := range map[string]struct {
		kind, text string
		blob       []byte
	}{
		"test://static-text":      {"text/plain", "This is the content of the static text resource.", nil},
		"test://static-binary":    {"image/png", "", f.decoded(pixel)},
		"test://watched-resource": {"text/plain", "something that changes", nil},
	} {
		f.s.Other(uri)
		f.s.SDK().AddResource(&sdk.Resource{URI: uri, Name: uri, MIMEType: x.kind, Description: "a resource of the conformance suite"}, func(context.Context, *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			return text(uri, x.kind, x.text, x.blob), nil
		})
	}
	f.s.SDK().AddResourceTemplate(&sdk.ResourceTemplate{URITemplate: "test://template/{id}/data", Name: "template", MIMEType: "application/json"}, func(_ context.Context, r *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
		id := strings.TrimSuffix(strings.TrimPrefix(r.Params.URI, "test://template/"), "/data")
		return text(r.Params.URI, "application/json", fmt.Sprintf(`{"id":%q,"templateTest":true,"data":"Data for ID: %s"}`, id, id), nil), nil
	})
}

// prompt adds a prompt; its words take the arguments.
func (f *suite) prompt(name string, arguments []string, content ...sdk.Content) {
	p := &sdk.Prompt{Name: name, Description: "a prompt of the conformance suite"}
	for _, a := range arguments {
		p.Arguments = append(p.Arguments, &sdk.PromptArgument{Name: a, Description: "an argument", Required: true})
	}
	f.s.SDK().AddPrompt(p, func(_ context.Context, r *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		out := &sdk.GetPromptResult{Description: p.Description}
		for _, c := range content {
			switch x := c.(type) {
			case *sdk.TextContent:
				var given []any
				for _, a := range arguments {
					given = append(given, r.Params.Arguments[a])
				}
				c = &sdk.TextContent{Text: fmt.Sprintf(x.Text, given...)}
			case *sdk.EmbeddedResource:
				resource := *x.Resource
				resource.URI = r.Params.Arguments["resourceUri"]
				c = &sdk.EmbeddedResource{Resource: &resource}
			}
			out.Messages = append(out.Messages, &sdk.PromptMessage{Role: "user", Content: c})
		}
		return out, nil
	})
}

func (f *suite) prompts() {
	f.prompt("test_simple_prompt", nil, &sdk.TextContent{Text: "This is a simple prompt for testing."})
	f.prompt("test_prompt_with_arguments", []string{"arg1", "arg2"}, &sdk.TextContent{Text: "Prompt with arguments: arg1='%s', arg2='%s'"})
	f.prompt("test_prompt_with_embedded_resource", []string{"resourceUri"}, &sdk.EmbeddedResource{Resource: &sdk.ResourceContents{MIMEType: "text/plain", Text: "embedded"}})
	f.prompt("test_prompt_with_image", nil, &sdk.ImageContent{Data: f.decoded(pixel), MIMEType: "image/png"})
	f.s.SDK().AddPrompt(&sdk.Prompt{Name: "test_input_required_result_prompt", Description: "asks for a context"}, func(_ context.Context, r *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		text, ok := answer(r.Params.InputResponses, "user_context")["context"].(string)
		if !ok {
			return &sdk.GetPromptResult{InputRequests: sdk.InputRequestMap{"user_context": field("context", "string")}}, nil
		}
		if text == "" {
			return nil, errors.New("the context is empty")
		}
		return &sdk.GetPromptResult{Messages: []*sdk.PromptMessage{{Role: "user", Content: &sdk.TextContent{Text: "Context: " + text}}}}, nil
	})
}
