package grant

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Use is one intended use of secrets, as exactly as it can be told before it happens: what a rule permits, and what a
// person is asked to approve. It holds no value.
type Use struct {
	Project string   `json:"project"`
	Env     string   `json:"env"`
	Secrets []string `json:"secrets"` // names, sorted, each once
	// Tool is the tool or face that will use them: "http_request", "query_database", "run_command", "shield".
	Tool string `json:"tool"`

	// Where to. Scheme is that of a URL ("https", "postgres"); Host is in lower case, without the port.
	Scheme string `json:"scheme,omitempty"`
	Host   string `json:"host,omitempty"`
	Port   int    `json:"port,omitempty"`

	// What is sent. Path is as it goes out, still escaped, without the query; In says where each secret goes, several places
	// of one secret with commas between. For a database, Method is READ or WRITE.
	Method string            `json:"method,omitempty"`
	Path   string            `json:"path,omitempty"`
	Query  string            `json:"query,omitempty"` // as it goes out but for values, without the ?
	In     map[string]string `json:"in,omitempty"`    // by secret name: a Place
	// Body is the SHA-256 of the body before values are put in, or of the statement, in hex; empty for none.
	Body string `json:"body,omitempty"`
	// Command is the program and its arguments before values are put in, for tools that run one.
	Command []string `json:"command,omitempty"`
}

// BodyHash is what Use.Body holds for a body.
func BodyHash(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Digest names a use: two uses with the same digest are the same in every field. An approval holds for one digest.
func (u Use) Digest() string {
	u.Secrets = slices.Compact(slices.Sorted(slices.Values(u.Secrets)))
	b, err := json.Marshal(u) // maps are encoded in the order of their keys
	if err != nil {
		panic("encoding a struct of strings: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
