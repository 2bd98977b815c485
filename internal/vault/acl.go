package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
	"github.com/ArcadeLabsInc/zvault/internal/vault/token"
)

// PolicyFolder is where policies are in the store.
const PolicyFolder = "policy/"

// StoredPolicy is a policy as it is kept.
type StoredPolicy struct {
	Name     string    `json:"name"`
	Text     string    `json:"text"`
	Version  int       `json:"version"`
	Modified time.Time `json:"modified"`
}

// ParsedPolicy is a stored policy and what its text says.
type ParsedPolicy struct {
	StoredPolicy
	Rules *policy.Policy
}

func decodePolicy(raw []byte) (*ParsedPolicy, error) {
	p := &ParsedPolicy{}
	if err := json.Unmarshal(raw, &p.StoredPolicy); err != nil {
		return nil, err
	}
	var err error
	p.Rules, err = policy.Parse(p.Name, p.Text)
	return p, err
}

// Policy returns a policy, shared; nil if there is none. The root policy is not stored.
func (c *Core) Policy(ctx context.Context, name string) (*ParsedPolicy, error) {
	p, err := logical.Decode(ctx, c.root, PolicyFolder+name, decodePolicy)
	if isNotFound(err) || errors.Is(err, storage.ErrInvalidKey) || errors.Is(err, storage.ErrTooLarge) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading policy %q: %w", name, err)
	}
	return p, nil
}

// aclCache keeps what sets of policies were compiled to. A set is compiled anew when one of its policies is another object
// than before, which the store hands out after each change.
type aclCache struct {
	mu  sync.RWMutex
	all map[string]*compiled
}

type compiled struct {
	acl   *policy.ACL
	parts []*ParsedPolicy // nil for one that is not there
}

const mostACLs = 4096

func (a *aclCache) get(key string) *compiled {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.all[key]
}

func (a *aclCache) put(key string, c *compiled) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil || len(a.all) >= mostACLs {
		a.all = map[string]*compiled{}
	}
	a.all[key] = c
}

func (a *aclCache) drop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = nil
}

// aclOf returns what the policies of a token allow.
func (c *Core) aclOf(ctx context.Context, e *token.Entry) (*policy.ACL, error) {
	if len(e.Policies) == 1 && e.EntityID == "" {
		return c.aclOfNames(ctx, e.Policies[0], e.Policies, nil)
	}
	names, fill, err := c.allPolicies(ctx, e)
	if err != nil {
		return nil, err
	}
	return c.aclOfNames(ctx, strings.Join(names, "\x00"), names, fill)
}

// allPolicies returns the policies of a token and of who is behind it, and what fills their templates.
func (c *Core) allPolicies(ctx context.Context, e *token.Entry) ([]string, func(string) (string, bool), error) {
	if e.EntityID == "" || c.options.Identity == nil {
		return e.Policies, nil, nil
	}
	more, err := c.options.Identity.Policies(ctx, c.identityStorage, e.EntityID)
	if err != nil {
		return nil, nil, err
	}
	fill, err := c.options.Identity.Template(ctx, c.identityStorage, e.EntityID)
	return sortedUnique(append(append([]string{}, e.Policies...), more...)), fill, err
}

// IdentityPolicies are the policies that a token has by who is behind it.
func (c *Core) IdentityPolicies(ctx context.Context, e *token.Entry) ([]string, error) {
	if e.EntityID == "" || c.options.Identity == nil {
		return nil, nil
	}
	return c.options.Identity.Policies(ctx, c.identityStorage, e.EntityID)
}

// ACLOf returns what a token may do.
func (c *Core) ACLOf(ctx context.Context, e *token.Entry) (*policy.ACL, []*policy.Policy, error) {
	names, fill, err := c.allPolicies(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	var rules []*policy.Policy
	for _, n := range names {
		p, err := c.rulesOf(ctx, n, fill)
		if err != nil {
			return nil, nil, err
		}
		if p != nil {
			rules = append(rules, p)
		}
	}
	return policy.Compile(rules...), rules, nil
}

func (c *Core) rulesOf(ctx context.Context, name string, fill func(string) (string, bool)) (*policy.Policy, error) {
	if name == "root" {
		return &policy.Policy{Name: policy.RootName}, nil
	}
	p, err := c.Policy(ctx, name)
	if err != nil || p == nil {
		return nil, err
	}
	if p.Rules.Templated() {
		if fill == nil {
			fill = func(string) (string, bool) { return "", false }
		}
		return p.Rules.Expand(fill), nil
	}
	return p.Rules, nil
}

func (c *Core) aclOfNames(ctx context.Context, key string, names []string, fill func(string) (string, bool)) (*policy.ACL, error) {
	known := c.acls.get(key)
	parts := make([]*ParsedPolicy, len(names))
	same, templated := known != nil, false
	for i, n := range names {
		if n == "root" {
			continue
		}
		p, err := c.Policy(ctx, n)
		if err != nil {
			return nil, err
		}
		parts[i] = p
		same = same && known.parts[i] == p
		templated = templated || p != nil && p.Rules.Templated()
	}
	if same && (fill == nil || !templated) {
		return known.acl, nil
	}
	var rules []*policy.Policy
	for _, n := range names {
		p, err := c.rulesOf(ctx, n, fill)
		if err != nil {
			return nil, err
		}
		if p != nil {
			rules = append(rules, p)
		}
	}
	acl := policy.Compile(rules...)
	if fill == nil || !templated {
		c.acls.put(key, &compiled{acl: acl, parts: parts})
	}
	return acl, nil
}

func within(a netip.Addr, bounds []netip.Prefix) bool {
	a = a.Unmap()
	for _, b := range bounds {
		if b.Contains(a) {
			return true
		}
	}
	return false
}

// Identity is what the core asks the identity store.
type Identity interface {
	// Login finds or makes the entity behind an alias.
	Login(ctx context.Context, s logical.Storage, m *Mount, a *logical.Alias, now time.Time) (entityID string, err error)
	// Policies are those of an entity and of its groups; ErrPermissionDenied for an entity that is disabled.
	Policies(ctx context.Context, s logical.Storage, entityID string) ([]string, error)
	// Template fills the templates of policies for an entity.
	Template(ctx context.Context, s logical.Storage, entityID string) (func(string) (string, bool), error)
}
