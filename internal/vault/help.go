package vault

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func digestOf(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// help answers ?help=1: what a path is for and what it takes.
func (c *Core) help(_ *Exchange, b *logical.Backend, r *logical.Request) (*logical.Response, error) {
	route, _ := b.Match(r.Path)
	var text strings.Builder
	if r.Path == "" || route == nil {
		text.WriteString(b.Help + "\n\n## PATHS\n")
		for _, route := range b.Routes {
			fmt.Fprintf(&text, "\n    %s\n        %s\n", route.Pattern, route.Synopsis)
		}
		return &logical.Response{Data: map[string]any{"help": text.String()}, TopLevel: true, NoWrap: true}, nil
	}
	fmt.Fprintf(&text, "Request:        %s\nMatching Route: %s\n\n%s\n", r.Path, route.Pattern, route.Synopsis)
	if len(route.Fields) > 0 {
		text.WriteString("\n## PARAMETERS\n")
	}
	for _, f := range route.Fields {
		fmt.Fprintf(&text, "\n    %s (%s)\n\n        %s\n", f.Name, f.Type, f.Help)
	}
	if route.Description != "" {
		text.WriteString("\n## DESCRIPTION\n\n" + route.Description + "\n")
	}
	return &logical.Response{Data: map[string]any{"help": text.String()}, TopLevel: true, NoWrap: true}, nil
}
