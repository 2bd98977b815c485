package mcp

import (
	"encoding/json"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ArcadeLabsInc/zvault/internal/redact"
)

// Unmask switches masking off for the results of one tool.
func (s *Server) Unmask(tool string) { s.unmasked = tool }

// SDK is the server beneath, to which others than tools of ours may be added. They pass the same funnel.
func (s *Server) SDK() *sdk.Server { return s.sdk }

// Other makes known a tool, or a resource to subscribe to, that was added to the SDK's server.
func (s *Server) Other(name string) {
	if s.others == nil {
		s.others = map[string]bool{}
	}
	s.others[name] = true
}

// MaskJSON masks a document.
func MaskJSON(m *redact.Matcher, raw json.RawMessage) ([]byte, error) {
	out, _, err := masks{m}.json(raw)
	return out, err
}
