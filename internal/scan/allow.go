package scan

import (
	"slices"

	"github.com/zricethezav/gitleaks/v8/config"
)

// pathAllowed reports whether a list passes a file over by its name alone.
func pathAllowed(lists []*config.Allowlist, path string) bool {
	return slices.ContainsFunc(lists, func(a *config.Allowlist) bool {
		alone := len(a.Regexes) == 0 && len(a.StopWords) == 0 && len(a.Commits) == 0
		return len(a.Paths) > 0 && (alone || a.MatchCondition == config.AllowlistMatchOr) && a.PathAllowed(path)
	})
}

// candidate is what a rule matched, as lists look at it.
type candidate struct {
	path, secret, match, line string
}

// allowed reports whether one of the lists says that the candidate is no secret. Lists of commits are about repositories of
// others and never apply.
func (c candidate) allowed(lists []*config.Allowlist) bool {
	return slices.ContainsFunc(lists, func(a *config.Allowlist) bool {
		var checks []bool
		if len(a.Commits) > 0 {
			checks = append(checks, false)
		}
		if len(a.Paths) > 0 {
			checks = append(checks, a.PathAllowed(c.path))
		}
		if len(a.Regexes) > 0 {
			checks = append(checks, a.RegexAllowed(c.target(a)))
		}
		if len(a.StopWords) > 0 {
			found, _ := a.ContainsStopWord(c.secret)
			checks = append(checks, found)
		}
		if a.MatchCondition == config.AllowlistMatchAnd {
			return len(checks) > 0 && !slices.Contains(checks, false)
		}
		return slices.Contains(checks, true)
	})
}

func (c candidate) target(a *config.Allowlist) string {
	switch a.RegexTarget {
	case "match":
		return c.match
	case "line":
		return c.line
	}
	return c.secret
}
