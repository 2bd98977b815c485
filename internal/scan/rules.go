package scan

import (
	"errors"
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
	rules    []config.Rule
	global   []*config.Allowlist
	keywords *keywords
}

var errNoRules = errors.New("the library holds no rules")

// loadRules reads the rules that come with the library, once: that compiles some hundred expressions.
var loadRules = sync.OnceValues(func() (*ruleSet, error) {
	v := viper.New()
	v.SetConfigType("toml")
	if err := v.ReadConfig(strings.NewReader(config.DefaultConfig)); err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	var raw config.ViperConfig
	if err := v.Unmarshal(&raw); err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	c, err := raw.Translate()
	if err != nil {
		return nil, fmt.Errorf("translating: %w", err)
	}
	set := &ruleSet{global: c.Allowlists, keywords: newKeywords()}
	for _, id := range slices.Sorted(slices.Values(c.OrderedRules)) {
		r := c.Rules[id]
		if r.SkipReport || len(r.RequiredRules) > 0 { // parts of composite rules; the library's default has none
			continue
		}
		if r.Regex != nil {
			set.keywords.add(len(set.rules), r.Keywords)
		}
		set.rules = append(set.rules, r)
	}
	if len(set.rules) == 0 {
		return nil, errNoRules
	}
	return set, nil
})

// find applies the rules: those for file names, and of the others those whose keywords occur.
func (s *ruleSet) find(t *text) []hit {
	if pathAllowed(s.global, t.name) {
		return nil
	}
	var mentioned []bool
	if !t.binary {
		mentioned = s.keywords.in(t.content, len(s.rules))
	}
	var all []hit
	for i := range s.rules {
		r := &s.rules[i]
		if r.Path != nil && !r.Path.MatchString(t.name) {
			continue
		}
		if r.Regex != nil && (mentioned == nil || !mentioned[i]) || pathAllowed(r.Allowlists, t.name) {
			continue
		}
		if r.Regex == nil { // the name alone says it
			all = append(all, hit{rule: r.RuleID, description: r.Description})
			continue
		}
		all = append(all, s.apply(t, r)...)
	}
	return all
}

func (s *ruleSet) apply(t *text, r *config.Rule) []hit {
	var all []hit
	for _, m := range r.Regex.FindAllSubmatchIndex(t.content, -1) {
		start, end := group(m, r.SecretGroup)
		secret := string(t.content[start:end])
		if secret == "" || r.Entropy > 0 && entropy(secret) <= r.Entropy || t.allowed(start) {
			continue
		}
		_, from, to := t.line(start)
		c := candidate{
			path: t.name, secret: secret, match: strings.Trim(string(t.content[m[0]:m[1]]), "\n"), line: string(t.content[from:max(to, end)]),
		}
		if !c.allowed(s.global) && !c.allowed(r.Allowlists) {
			all = append(all, hit{rule: r.RuleID, description: r.Description, start: start, end: end})
		}
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
