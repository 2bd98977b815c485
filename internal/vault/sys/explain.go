package sys

import "github.com/ArcadeLabsInc/zvault/internal/policy"

// explanation is an Explanation as the data of a response.
func explanation(x policy.Explanation) map[string]any {
	rules := []map[string]any{}
	for _, a := range x.Rules {
		rules = append(rules, map[string]any{
			"policy": a.Policy, "path": a.Rule.Path, "line": a.Rule.Line, "capabilities": a.Rule.Capabilities.Names(), "decides": a.Decides,
		})
	}
	return map[string]any{"allowed": x.Decision.Allowed, "reason": x.Reason, "rules": rules, "suggestion": x.Suggestion}
}
