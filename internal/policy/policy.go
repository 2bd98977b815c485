// Package policy decides what a token may do: the ACL policies of HashiCorp Vault and OpenBao, in HCL or JSON.
//
// Parse reads a policy, Compile makes an ACL of several, ACL.Check decides. Nothing is allowed that no rule allows; of the rules
// that match a path only those of the most specific pattern count, and there a deny beats everything.
//
// A pattern is a path, in which a segment "+" stands for any one segment, and a "*" at the end for any rest. Which of two
// patterns is the more specific one is Vault's rule, see less in acl.go.
package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl"
	"github.com/hashicorp/hcl/hcl/ast"
)

// Capability is what a rule grants.
type Capability string

// The capabilities.
const (
	Create Capability = "create"
	Read   Capability = "read"
	Update Capability = "update"
	Patch  Capability = "patch"
	Delete Capability = "delete"
	List   Capability = "list"
	Scan   Capability = "scan"
	Sudo   Capability = "sudo"
	Deny   Capability = "deny"
)

// inOrder is how clients see capabilities listed.
var inOrder = []Capability{Create, Delete, List, Patch, Read, Scan, Sudo, Update}

// Policy is a named list of rules.
type Policy struct {
	Name  string
	Text  string
	Rules []Rule
}

// Rule grants capabilities on the paths of a pattern.
type Rule struct {
	Path         string
	Capabilities []Capability
	MinWrap      time.Duration
	MaxWrap      time.Duration
	Limit        int              // of a list; 0: none
	Allowed      map[string][]any // nil: every parameter; an empty list: every value
	Denied       map[string][]any
	Required     []string
}

// ErrSyntax is matched by every error of Parse.
var ErrSyntax = errors.New("not a policy")

// block is a rule as HCL decodes it.
type block struct {
	Policy       string           `hcl:"policy"`
	Capabilities []string         `hcl:"capabilities"`
	MinWrap      any              `hcl:"min_wrapping_ttl"`
	MaxWrap      any              `hcl:"max_wrapping_ttl"`
	Allowed      map[string][]any `hcl:"allowed_parameters"`
	Denied       map[string][]any `hcl:"denied_parameters"`
	Required     []string         `hcl:"required_parameters"`
	Limit        int              `hcl:"pagination_limit"`
	Comment      string           `hcl:"comment"`
}

var blockKeys = []string{
	"policy", "capabilities", "min_wrapping_ttl", "max_wrapping_ttl", "allowed_parameters", "denied_parameters", "required_parameters",
	"pagination_limit", "comment",
}

// Parse reads a policy. Errors say on which line.
func Parse(name, text string) (*Policy, error) {
	root, err := hcl.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	list, ok := root.Node.(*ast.ObjectList)
	if !ok {
		return nil, fmt.Errorf("%w: it does not contain a root object", ErrSyntax)
	}
	p := &Policy{Name: name, Text: text}
	for _, item := range list.Items {
		key := keyOf(item, 0)
		switch {
		case key == "name" && len(item.Keys) == 1:
		case key == "path" && len(item.Keys) == 2:
			r, err := parseRule(keyOf(item, 1), item)
			if err != nil {
				return nil, err
			}
			p.Rules = append(p.Rules, r)
		case key == "path" && len(item.Keys) == 1:
			rules, err := parseNested(item)
			if err != nil {
				return nil, err
			}
			p.Rules = append(p.Rules, rules...)
		default:
			return nil, fmt.Errorf("%w: line %d: invalid key %q, only path blocks are known", ErrSyntax, item.Pos().Line, key)
		}
	}
	return p, nil
}

func keyOf(item *ast.ObjectItem, i int) string {
	if i >= len(item.Keys) {
		return ""
	}
	s, _ := item.Keys[i].Token.Value().(string)
	return s
}

// parseNested reads the form that JSON has: {"path": {"a": {…}, "b": {…}}}.
func parseNested(item *ast.ObjectItem) ([]Rule, error) {
	object, ok := item.Val.(*ast.ObjectType)
	if !ok {
		return nil, fmt.Errorf("%w: line %d: path needs a block", ErrSyntax, item.Pos().Line)
	}
	var rules []Rule
	for _, inner := range object.List.Items {
		r, err := parseRule(keyOf(inner, 0), inner)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(path string, item *ast.ObjectItem) (Rule, error) {
	bad := func(format string, args ...any) (Rule, error) {
		return Rule{}, fmt.Errorf("%w: line %d: path %q: %s", ErrSyntax, item.Pos().Line, path, fmt.Sprintf(format, args...))
	}
	object, ok := item.Val.(*ast.ObjectType)
	if !ok {
		return bad("it needs a block")
	}
	for _, inner := range object.List.Items {
		if k := keyOf(inner, 0); !slices.Contains(blockKeys, k) {
			return bad("invalid key %q", k)
		}
	}
	var b block
	if err := hcl.DecodeObject(&b, item.Val); err != nil {
		return bad("%v", err)
	}
	r := Rule{Path: strings.TrimPrefix(path, "/"), Limit: b.Limit, Required: b.Required}
	var err error
	if r.Capabilities, err = capabilities(b); err != nil {
		return bad("%v", err)
	}
	if r.MinWrap, err = duration(b.MinWrap); err != nil {
		return bad("min_wrapping_ttl: %v", err)
	}
	if r.MaxWrap, err = duration(b.MaxWrap); err != nil {
		return bad("max_wrapping_ttl: %v", err)
	}
	if r.MaxWrap > 0 && r.MinWrap > r.MaxWrap {
		return bad("max_wrapping_ttl is smaller than min_wrapping_ttl")
	}
	r.Allowed, r.Denied = lower(b.Allowed), lower(b.Denied)
	if strings.Contains(r.Path, "+*") {
		return bad("\"+*\" is forbidden: use \"*\" alone")
	}
	if i := strings.IndexByte(r.Path, '*'); i >= 0 && i != len(r.Path)-1 && !strings.Contains(r.Path, "{{") {
		return bad("a * stands only at the end")
	}
	return r, nil
}

// older are the words that came before capabilities.
func older(word string) ([]Capability, bool) {
	switch word {
	case "deny":
		return []Capability{Deny}, true
	case "read":
		return []Capability{Read, List}, true
	case "write":
		return []Capability{Create, Read, Update, Patch, Delete, List, Scan}, true
	case "sudo":
		return []Capability{Create, Read, Update, Patch, Delete, List, Scan, Sudo}, true
	}
	return nil, false
}

func capabilities(b block) ([]Capability, error) {
	if b.Policy != "" {
		list, ok := older(b.Policy)
		if !ok {
			return nil, fmt.Errorf("invalid policy %q", b.Policy)
		}
		return list, nil
	}
	var list []Capability
	for _, text := range b.Capabilities {
		c := Capability(text)
		if c != Deny && !slices.Contains(inOrder, c) {
			return nil, fmt.Errorf("invalid capability %q", text)
		}
		list = append(list, c)
	}
	if slices.Contains(list, Deny) {
		return []Capability{Deny}, nil
	}
	return list, nil
}

func duration(v any) (time.Duration, error) {
	switch v := v.(type) {
	case nil:
		return 0, nil
	case int:
		return time.Duration(v) * time.Second, nil
	case string:
		if d, err := time.ParseDuration(v + "s"); err == nil && !strings.ContainsAny(v, "hms") {
			return d, nil
		}
		return time.ParseDuration(v)
	}
	return 0, fmt.Errorf("%v is no duration", v)
}

// lower makes the names of parameters lower case, as they are compared.
func lower(m map[string][]any) map[string][]any {
	if m == nil {
		return nil
	}
	out := make(map[string][]any, len(m))
	for k, v := range m {
		out[strings.ToLower(k)] = v
	}
	return out
}

var template = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{\s*([^{}]+?)\s*\}\}`) })

// Templated reports whether a path holds an expression such as {{identity.entity.id}}.
func (p *Policy) Templated() bool {
	return slices.ContainsFunc(p.Rules, func(r Rule) bool { return strings.Contains(r.Path, "{{") })
}

// Expand fills the expressions in the paths. A rule with one that cannot be filled, or whose value could change which paths it
// speaks of, is left out.
func (p *Policy) Expand(lookup func(expression string) (string, bool)) *Policy {
	out := &Policy{Name: p.Name, Text: p.Text}
	for _, r := range p.Rules {
		ok := true
		r.Path = template().ReplaceAllStringFunc(r.Path, func(m string) string {
			value, found := lookup(template().FindStringSubmatch(m)[1])
			ok = ok && found && value != "" && !strings.ContainsAny(value, "*+") && !strings.Contains(value, "..")
			return value
		})
		if ok && !strings.Contains(r.Path, "{{") {
			out.Rules = append(out.Rules, r)
		}
	}
	return out
}

// Root is the policy that allows everything.
func Root() *Policy { return &Policy{Name: "root"} }

// DefaultText is the policy that every token has unless it is made without.
const DefaultText = `# What every token may do with itself.
path "auth/token/lookup-self" {
    capabilities = ["read"]
}
path "auth/token/renew-self" {
    capabilities = ["update"]
}
path "auth/token/revoke-self" {
    capabilities = ["update"]
}
path "sys/capabilities-self" {
    capabilities = ["update"]
}

# Its own identity.
path "identity/entity/id/{{identity.entity.id}}" {
    capabilities = ["read"]
}
path "identity/entity/name/{{identity.entity.name}}" {
    capabilities = ["read"]
}

# What a user interface has to know.
path "sys/internal/ui/resultant-acl" {
    capabilities = ["read"]
}

# Leases that it was given.
path "sys/renew" {
    capabilities = ["update"]
}
path "sys/leases/renew" {
    capabilities = ["update"]
}
path "sys/leases/lookup" {
    capabilities = ["update"]
}

# Its own cubbyhole, which ends with it.
path "cubbyhole/*" {
    capabilities = ["create", "read", "update", "delete", "list", "scan"]
}

# Wrapping what it has, and unwrapping what it is given.
path "sys/wrapping/wrap" {
    capabilities = ["update"]
}
path "sys/wrapping/lookup" {
    capabilities = ["update"]
}
path "sys/wrapping/unwrap" {
    capabilities = ["update"]
}

# Tools that know no secret.
path "sys/tools/hash" {
    capabilities = ["update"]
}
path "sys/tools/hash/*" {
    capabilities = ["update"]
}
`
