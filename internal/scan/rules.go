package scan

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/viper"
	"github.com/zricethezav/gitleaks/v8/config"
)

// ruleSet is gitleaks' rules in the order of their ids.
type ruleSet struct {
	rules  []config.Rule
	global []*config.Allowlist
}

// loadRules reads the rules that come with the library, once: that compiles some hundred expressions.
var loadRules = sync.OnceValues(func() (*ruleSet, error) {
	v := viper.New()
	v.SetConfigType("toml")
	if err := v.ReadConfig(strings.NewReader(config.DefaultConfig)); err != nil {
		return nil, err
	}
	var raw config.ViperConfig
	if err := v.Unmarshal(&raw); err != nil {
		return nil, err
	}
	c, err := raw.Translate()
	if err != nil {
		return nil, err
	}
	set := &ruleSet{global: c.Allowlists}
	for _, id := range slices.Sorted(slices.Values(c.OrderedRules)) {
		r := c.Rules[id]
		if r.SkipReport || len(r.RequiredRules) > 0 { // parts of composite rules; the library's default has none
			continue
		}
		for i := range r.Keywords {
			r.Keywords[i] = strings.ToLower(r.Keywords[i])
		}
		set.rules = append(set.rules, r)
	}
	if len(set.rules) == 0 {
		return nil, fmt.Errorf("the library holds no rules")
	}
	return set, nil
})

// find applies every rule whose keywords occur.
func (s *ruleSet) find(t *text) []Finding {
	if allows(s.global, "", "", "", t.name) {
		return nil
	}
	lower := bytes.ToLower(t.content)
	var all []Finding
	for i := range s.rules {
		r := &s.rules[i]
		if r.Regex == nil || !mentions(lower, r.Keywords) || r.Path != nil && !r.Path.MatchString(t.name) || allows(r.Allowlists, "", "", "", t.name) {
			continue
		}
		all = append(all, s.apply(t, r)...)
	}
	return all
}

func mentions(lower []byte, keywords []string) bool {
	return len(keywords) == 0 || slices.ContainsFunc(keywords, func(k string) bool { return bytes.Contains(lower, []byte(k)) })
}

func (s *ruleSet) apply(t *text, r *config.Rule) []Finding {
	var all []Finding
	for _, m := range r.Regex.FindAllSubmatchIndex(t.content, -1) {
		start, end := group(m, r.SecretGroup)
		secret := string(t.content[start:end])
		if r.Entropy > 0 && entropy(secret) <= r.Entropy || t.allowed(start) {
			continue
		}
		_, from, to := t.line(start)
		match, line := string(t.content[m[0]:m[1]]), string(t.content[from:max(to, end)])
		if allows(s.global, secret, match, line, t.name) || allows(r.Allowlists, secret, match, line, t.name) {
			continue
		}
		all = append(all, t.finding(r.RuleID, r.Description, start, end, ""))
	}
	return all
}

// group picks the part of a match that is the secret: the group that the rule names, else the first that matched, else all.
func group(m []int, wanted int) (start, end int) {
	if wanted > 0 && 2*wanted+1 < len(m) && m[2*wanted] >= 0 {
		return m[2*wanted], m[2*wanted+1]
	}
	if wanted == 0 {
		for i := 2; i+1 < len(m); i += 2 {
			if m[i] >= 0 && m[i+1] > m[i] {
				return m[i], m[i+1]
			}
		}
	}
	return m[0], m[1]
}

// allows reports whether one of the lists lets a finding pass; with an empty secret only a list of paths alone can.
func allows(lists []*config.Allowlist, secret, match, line, path string) bool {
	return slices.ContainsFunc(lists, func(a *config.Allowlist) bool { return allow(a, secret, match, line, path) })
}

func allow(a *config.Allowlist, secret, match, line, path string) bool {
	target := map[string]string{"match": match, "line": line}[a.RegexTarget]
	if target == "" {
		target = secret
	}
	var checks []bool
	if len(a.Paths) > 0 {
		checks = append(checks, a.PathAllowed(path))
	}
	if secret == "" && (len(a.Regexes) > 0 || len(a.StopWords) > 0 || len(a.Commits) > 0) && a.MatchCondition == config.AllowlistMatchAnd {
		return false
	}
	if len(a.Regexes) > 0 && secret != "" {
		checks = append(checks, a.RegexAllowed(target))
	}
	if len(a.StopWords) > 0 && secret != "" {
		found, _ := a.ContainsStopWord(secret)
		checks = append(checks, found)
	}
	if len(checks) == 0 {
		return false
	}
	if a.MatchCondition == config.AllowlistMatchAnd {
		return !slices.Contains(checks, false)
	}
	return slices.Contains(checks, true)
}

// entropy is Shannon's, in bits a byte.
func entropy(s string) float64 {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
