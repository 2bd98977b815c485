// Package redteam tries to steal a secret, in ways that are data, from behind what is to protect it, and says what got out.
//
// An attack is what an assistant that was talked into it, or a hostile program, would do. It runs behind a front: the bare
// process, zvault's ways of using secrets, or another product's. What the thief ends up with is searched for the value: what was
// printed, the files that were left, and what two servers saw, one of the thief's own and one that the secret may be sent to.
package redteam

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Attack is one way to steal. Its format is described in docs/redteam.md.
type Attack struct {
	Name   string `json:"name"`
	Threat string `json:"threat"` // T1 to T9
	About  string `json:"about"`
	// Run is a script for sh.
	Run string `json:"run"`
	// Decode is a script for sh that turns what the thief got, on stdin, into the value; empty if nothing is needed.
	Decode string `json:"decode,omitempty"`
	// Tools are the calls that an assistant makes to the same end where it has tools and no shell.
	Tools []Call `json:"tools,omitempty"`
}

// Call is a call of an MCP tool.
type Call struct {
	Tool      string         `json:"tool"`
	Arguments map[string]any `json:"arguments"`
}

//go:embed attacks/*.json
var files embed.FS

// Attacks are those that come with zvault, sorted by threat.
func Attacks() ([]Attack, error) {
	entries, err := files.ReadDir("attacks")
	if err != nil {
		return nil, fmt.Errorf("reading the attacks: %w", err)
	}
	var all []Attack
	for _, e := range entries {
		data, err := files.ReadFile(path.Join("attacks", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading the attacks: %w", err)
		}
		some, err := Parse(data)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", e.Name(), err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// Parse reads a file of attacks.
func Parse(data []byte) ([]Attack, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var all []Attack
	if err := d.Decode(&all); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("something follows the list")
	}
	name, threat := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`), regexp.MustCompile(`^T([1-9]|1[01])$`)
	for i, a := range all {
		switch {
		case !name.MatchString(a.Name):
			return nil, fmt.Errorf("attack %d: %q is no name: small letters, digits and hyphens", i+1, a.Name)
		case slices.ContainsFunc(all[:i], func(b Attack) bool { return b.Name == a.Name }):
			return nil, fmt.Errorf("attack %d: the name %q is taken", i+1, a.Name)
		case !threat.MatchString(a.Threat):
			return nil, fmt.Errorf("attack %q: %q is no threat: T1 to T11", a.Name, a.Threat)
		case strings.TrimSpace(a.Run) == "" || a.About == "":
			return nil, fmt.Errorf("attack %q: it has to say what it does, and do it", a.Name)
		}
	}
	return all, nil
}
