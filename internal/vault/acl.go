package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
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
// than before, which the store hands out after each change, or when who is behind the token is.
type aclCache struct {
	mu  sync.RWMutex
	all map[aclKey]*compiled
}

// aclKey is a token's own policies, and who is behind it.
type aclKey struct{ policies, entity string }

type compiled struct {
	acl   *policy.ACL
	names []string
	parts []*ParsedPolicy // by name; nil for one that is not there
	who   *Subject        // nil: nobody
}

const mostACLs = 4096

func (a *aclCache) get(key aclKey) *compiled {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.all[key]
}

func (a *aclCache) put(key aclKey, c *compiled) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[aclKey]*compiled{}
	}
	for victim := range a.all { // in no particular order
		if len(a.all) < mostACLs {
			break
		}
		delete(a.all, victim)
	}
	a.all[key] = c
}

func (a *aclCache) drop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = nil
}

// aclOf returns what the policies of a token allow. It is ErrPermissionDenied for a token of somebody who is disabled or gone.
func (c *Core) aclOf(ctx context.Context, e *token.Entry) (*policy.ACL, error) {
	who, err := c.subject(ctx, e)
	if err != nil {
		return nil, err
	}
	var key aclKey
	if len(e.Policies) == 1 {
		key.policies = e.Policies[0]
	} else {
		key.policies = strings.Join(e.Policies, "\x00")
	}
	if who != nil {
		key.entity = who.ID
	}
	if known := c.acls.get(key); known != nil && known.who == who {
		same, err := c.unchanged(ctx, known)
		if err != nil {
			return nil, err
		}
		if same {
			return known.acl, nil
		}
	}
	made, err := c.compile(ctx, withPolicies(e, who), who)
	if err != nil {
		return nil, err
	}
	c.acls.put(key, made)
	return made.acl, nil
}

// unchanged reports whether the policies are the same as they were when they were compiled.
func (c *Core) unchanged(ctx context.Context, known *compiled) (bool, error) {
	for i, n := range known.names {
		if n == policy.RootName {
			continue
		}
		if p, err := c.Policy(ctx, n); err != nil || p != known.parts[i] {
			return false, err
		}
	}
	return true, nil
}

func (c *Core) compile(ctx context.Context, names []string, who *Subject) (*compiled, error) {
	made := &compiled{names: names, parts: make([]*ParsedPolicy, len(names)), who: who}
	rules := make([]*policy.Policy, 0, len(names))
	for i, n := range names {
		if n == policy.RootName {
			rules = append(rules, &policy.Policy{Name: policy.RootName})
			continue
		}
		p, err := c.Policy(ctx, n)
		if err != nil {
			return nil, err
		}
		if made.parts[i] = p; p != nil {
			rules = append(rules, p.Rules.Expand(who.fill))
		}
	}
	made.acl = policy.Compile(rules...)
	return made, nil
}

// fill gives the value of an expression in a policy's path: nothing for nobody.
func (who *Subject) fill(expression string) (string, bool) {
	if who == nil {
		return "", false
	}
	return who.Fill(expression)
}

// subject returns who is behind a token, nil for nobody. It is ErrPermissionDenied for somebody who is disabled or gone.
func (c *Core) subject(ctx context.Context, e *token.Entry) (*Subject, error) {
	if e.EntityID == "" || c.options.Identity == nil {
		return nil, nil
	}
	who, err := c.options.Identity.Subject(ctx, c.identityStorage, e.EntityID)
	if err != nil {
		return nil, err
	}
	if who == nil || who.Disabled {
		return nil, logical.ErrPermissionDenied
	}
	return who, nil
}

// withPolicies are the policies of a token and of who is behind it. A root token has no others.
func withPolicies(e *token.Entry, who *Subject) []string {
	if who == nil || len(who.Policies) == 0 || e.Root() {
		return e.Policies
	}
	return sortedUnique(append(slices.Clip(e.Policies), who.Policies...))
}

// IdentityPolicies are the policies that a token has by who is behind it.
func (c *Core) IdentityPolicies(ctx context.Context, e *token.Entry) ([]string, error) {
	if e.EntityID == "" || c.options.Identity == nil {
		return nil, nil
	}
	who, err := c.options.Identity.Subject(ctx, c.identityStorage, e.EntityID)
	if err != nil || who == nil {
		return nil, err
	}
	return who.Policies, nil
}

// ACLOf returns what a token may do, and the policies that say so.
func (c *Core) ACLOf(ctx context.Context, e *token.Entry) (*policy.ACL, []*policy.Policy, error) {
	who, err := c.subject(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	var rules []*policy.Policy
	for _, n := range withPolicies(e, who) {
		if n == policy.RootName {
			rules = append(rules, &policy.Policy{Name: policy.RootName})
			continue
		}
		p, err := c.Policy(ctx, n)
		if err != nil {
			return nil, nil, err
		}
		if p != nil {
			rules = append(rules, p.Rules.Expand(who.fill))
		}
	}
	return policy.Compile(rules...), rules, nil
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

// Identity is what the core asks the identity store. s is the store's own storage.
type Identity interface {
	// Login finds or makes the entity behind a login through a mount, and brings its external groups up to date. It is
	// ErrPermissionDenied for an entity that is disabled.
	Login(ctx context.Context, s logical.Storage, m *Mount, by LoginBy, now time.Time) (entityID string, err error)
	// Subject returns who an entity is, nil if there is none of this id and none that it was merged into.
	Subject(ctx context.Context, s logical.Storage, entityID string) (*Subject, error)
}

// LoginBy is what an auth method knows of somebody who signs in.
type LoginBy struct {
	Alias  *logical.Alias
	Groups []*logical.Alias
}

// Subject is who is behind a token. It is shared and not changed: after a change of the entity or its groups there is another.
type Subject struct {
	ID       string
	Disabled bool
	Policies []string // the entity's own and those of its groups: sorted, each once
	// Fill gives the value of an expression in a policy's path, and false if there is none.
	Fill func(expression string) (string, bool)
}
