package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
	"github.com/ArcadeLabsInc/zvault/internal/policy"
)

type policyCheckIn struct {
	Secrets []string `json:"secrets,omitempty" jsonschema:"names of secrets: list the rules that say which tools, hosts and commands may use them"`
	Policy  string   `json:"policy,omitempty" jsonschema:"the text of a policy for a server of Vault's kind, in HCL or JSON: explain what it decides for path and capability"`
	Path    string   `json:"path,omitempty" jsonschema:"with policy: the path that is asked for, such as secret/data/app"`
	Ability string   `json:"capability,omitempty" jsonschema:"with policy: create, read, update, patch, delete, list or scan; read if left out"`
}

type policyCheckOut struct {
	Rules    []secretRules `json:"rules,omitempty"`
	Decision *decision     `json:"decision,omitempty"`
}

type secretRules struct {
	Secret string       `json:"secret"`
	Rules  []grant.Rule `json:"rules" jsonschema:"a use must satisfy all of one rule; without any, the person is asked at each first use"`
}

type decision struct {
	Allowed    bool     `json:"allowed"`
	Reason     string   `json:"reason"`
	Rules      []string `json:"rules" jsonschema:"paths of the rules that match, the deciding one first"`
	Suggestion string   `json:"suggestion,omitempty" jsonschema:"the smallest rule that would allow it"`
}

func policyCheck() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "policy_check", Title: "Check what is permitted", Set: tool.Admin, ReadOnly: true, Idempotent: true,
		Text: "Says what is permitted, without trying it: with secrets, the rules about their use by tools; with policy, path and capability, " +
			"what a policy for a server of Vault's kind decides and why. It changes no rule; people do that with `zvault secret allow`.",
	}, runPolicyCheck)
}

func runPolicyCheck(ctx context.Context, c *tool.Call, a policyCheckIn) (policyCheckOut, error) {
	switch {
	case a.Policy == "" && len(a.Secrets) == 0:
		return policyCheckOut{}, tool.Invalid("give secrets, or policy and path")
	case a.Policy != "" && a.Path == "":
		return policyCheckOut{}, tool.Invalid("a policy is checked for a path; give path")
	}
	var out policyCheckOut
	if len(a.Secrets) > 0 {
		rules, err := rulesOf(ctx, c, a.Secrets)
		if err != nil {
			return out, err
		}
		out.Rules = rules
	}
	if a.Policy != "" {
		d, err := explain(a)
		if err != nil {
			return out, err
		}
		out.Decision = &d
	}
	return out, nil
}

func rulesOf(ctx context.Context, c *tool.Call, names []string) ([]secretRules, error) {
	if c.Grants == nil {
		return nil, tool.Failed("unavailable", "there are no rules here; each use is refused")
	}
	all, err := c.Grants.Rules(ctx, c.Env.Project)
	if err != nil {
		return nil, err
	}
	out := make([]secretRules, 0, len(names))
	for _, name := range names {
		out = append(out, secretRules{name, append([]grant.Rule{}, all[name]...)})
	}
	return out, nil
}

func explain(a policyCheckIn) (decision, error) {
	word := a.Ability
	if word == "" {
		word = "read"
	}
	asked := []string{"create", "read", "update", "patch", "delete", "list", "scan"}
	capability, ok := policy.ParseCapability(word)
	if !ok || !slices.Contains(asked, word) {
		return decision{}, tool.Invalid("capability %q: it can be %s", word, strings.Join(asked, ", "))
	}
	p, err := policy.Parse("given", a.Policy)
	if err != nil {
		return decision{}, tool.Invalid("the policy cannot be read: %v", err)
	}
	e := policy.Explain([]*policy.Policy{p}, policy.Query{Capability: capability, Path: a.Path, Time: time.Now()})
	d := decision{Allowed: e.Decision.Allowed, Reason: e.Reason, Rules: []string{}, Suggestion: e.Suggestion}
	for _, applied := range e.Rules {
		d.Rules = append(d.Rules, applied.Rule.Path)
	}
	return d, nil
}
