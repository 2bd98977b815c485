// Package tool is what the tools of the MCP server are written against: a typed function from arguments to a result, and
// the [Call] through which it reaches the vault. A tool never sees the protocol, and what it returns never leaves but
// through the server's redaction.
package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// Set is a group of tools that can be switched on and off together.
type Set string

// The toolsets.
const (
	Vault   Set = "vault"
	Proxy   Set = "proxy"
	Inspect Set = "inspect"
	Admin   Set = "admin"
	Cloud   Set = "cloud"
)

// Description is what a client is told about a tool, and what the server needs to know to treat it rightly.
type Description struct {
	Name  string // without the prefix that clients see: "list_secrets"
	Title string
	// Text tells the model what the tool does and when to use it.
	Text string
	Set  Set
	// ReadOnly: changes nothing anywhere. Destructive: may delete or overwrite. Idempotent: the same call again changes
	// nothing more. OpenWorld: talks to something other than the vault.
	ReadOnly, Destructive, Idempotent, OpenWorld bool
	// Outside: the result holds text that others wrote; the server marks it as untrusted.
	Outside bool
	// Closes: the vault may be sealed after the call. The result is masked by what was known before it.
	Closes bool
	// Refused are arguments that the tool does not have and a model might try, with the reason why.
	Refused map[string]string
}

// Tool is a tool with its schemas. Make one with New.
type Tool struct {
	Description
	Input, Output *jsonschema.Schema
	// Run decodes the arguments, which were validated against Input, and does the work.
	Run func(ctx context.Context, c *Call, arguments json.RawMessage) (any, error)
}

// New makes a tool of a function. The schemas are those of In and Out: structs whose fields have `json` names and, as the
// `jsonschema` tag, a description.
func New[In, Out any](d Description, run func(ctx context.Context, c *Call, in In) (Out, error)) (Tool, error) {
	input, err := jsonschema.For[In](nil)
	if err != nil {
		return Tool{}, fmt.Errorf("describing the arguments of %s: %w", d.Name, err)
	}
	result := reflect.TypeFor[Out]()
	if result.Kind() == reflect.Pointer { // the schema of a result is an object, and not null
		result = result.Elem()
	}
	output, err := jsonschema.ForType(result, &jsonschema.ForOptions{})
	if err != nil {
		return Tool{}, fmt.Errorf("describing the result of %s: %w", d.Name, err)
	}
	return Tool{d, input, output, func(ctx context.Context, c *Call, arguments json.RawMessage) (any, error) {
		var in In
		decoder := json.NewDecoder(bytes.NewReader(arguments))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&in); err != nil {
			return nil, Invalid("the arguments of %s are not what its schema says", d.Name)
		}
		return run(ctx, c, in)
	}}, nil
}
