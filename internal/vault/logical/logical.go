// Package logical is what engines and auth methods of the Vault-compatible core are written against: a Backend is a table of
// Routes, and a Route turns a Request into a Response.
//
// The terms are those of Vault's plugin interface. A backend knows its own paths and its own storage; identity, policy, audit,
// leases and wrapping are the core's (package vault), which calls it only after they have let the request through.
package logical

import (
	"context"
	"io"
	"net/netip"
	"time"
)

// Operation is what a request wants of a path.
type Operation string

// The operations. Create is Update for a path whose Route says that nothing is there yet.
const (
	Create Operation = "create"
	Read   Operation = "read"
	Update Operation = "update"
	Patch  Operation = "patch"
	Delete Operation = "delete"
	List   Operation = "list"
	Scan   Operation = "scan" // a recursive list
	Help   Operation = "help"

	// What the core asks of a backend that gave out a lease; Request.Lease is set.
	Renew  Operation = "renew"
	Revoke Operation = "revoke"
)

// Writes reports whether an operation changes what is stored.
func (o Operation) Writes() bool {
	switch o {
	case Create, Update, Patch, Delete, Revoke, Renew:
		return true
	}
	return false
}

// Request is one call of a backend.
type Request struct {
	ID        string // also in the audit log
	Operation Operation
	Path      string    // below the mount, no leading slash; a list ends in "/" or is empty
	Mount     string    // where the backend is mounted, with its trailing slash and without "auth/" in front for auth methods
	Data      Data      // the decoded body, or the query of a GET, LIST or DELETE
	Body      io.Reader // the body as it comes, of a route that streams; nil otherwise
	Params    Params    // what the route's pattern captured; set by Backend.Handle
	Storage   Storage
	Token     *Token // who asks; nil on an unauthenticated path
	Presented string // the token as it came, valid or not: for open paths that judge it themselves
	Remote    netip.Addr
	Header    func(name string) string // a header of the HTTP request; never nil
	Lease     *Lease                   // for Renew and Revoke
	Time      time.Time                // when the request came in
}

// Token is what a backend may know of the token that a request came with.
type Token struct {
	ID          string // the token itself; only for the token store and the cubbyhole
	Hash        string // names the token in storage; reveals nothing
	Accessor    string
	DisplayName string
	EntityID    string
	Policies    []string
	Meta        map[string]string
	Path        string // the path that made it, as in "auth/token/create"
	Batch       bool
	Root        bool
	Sudo        bool // the policy grants sudo on this very path
}

// Response is what a backend answers. The zero Response is 204 No Content with nothing in it.
type Response struct {
	// Data is the member "data". A nil map leaves the whole response empty (204) unless something else is set.
	Data map[string]any
	// Rendered is the member "data" as finished JSON, instead of Data, for paths where encoding costs too much. Sensitive must
	// then list the strings in it for the audit log.
	Rendered  []byte
	Sensitive *Sensitive
	// Keys makes a list response. KeyInfo may add details by key.
	Keys    []string
	KeyInfo map[string]any

	Auth     *Auth  // a login or a new token; the core makes the token
	Lease    *Lease // a lease to be registered by the core
	Warnings []string
	Redirect string

	// TopLevel repeats the members of Data beside "data", as the older paths of sys answer.
	TopLevel bool

	// Status replaces 200 or 204. With Raw, the body is Raw and ContentType, and nothing is wrapped around it.
	Status      int
	Raw         []byte
	ContentType string
	// Stream is the body, instead of Raw, where that would be large. It is closed when it has been sent.
	Stream io.ReadCloser
	Header map[string]string
	// NoWrap refuses wrapping, for what must be readable at once.
	NoWrap bool
	// WrapTTL asks the core to wrap the response although the client did not.
	WrapTTL time.Duration
}

// Sensitive is the audit log's view of a Rendered response, made once and kept with it.
type Sensitive struct {
	// Audit appends the member "data" with every string that hash makes unreadable replaced.
	Audit func(dst []byte, hash func(string) string) []byte
}

// Auth says what token a login or a token creation is to give.
type Auth struct {
	// ClientToken and Accessor are set by the core.
	ClientToken string
	Accessor    string

	// InternalID is the token itself, where somebody who may has chosen it; "": a random one.
	InternalID string
	RoleName   string // the token role, if one made it
	PathSuffix string // ends the path that the token is known by

	Policies         []string // without "default" unless wanted explicitly
	NoDefaultPolicy  bool
	Meta             map[string]string
	InternalData     map[string]any // kept with the token and handed back on renewal
	DisplayName      string
	Alias            *Alias   // who this is to the identity store; nil: nobody in particular
	GroupAliases     []*Alias // the groups that the auth method says they are in
	EntityID         string   // set by the core
	Renewable        bool
	TTL              time.Duration // 0: the mount's default
	MaxTTL           time.Duration // 0: the mount's
	ExplicitMaxTTL   time.Duration
	Period           time.Duration
	NumUses          int
	Batch            bool
	Orphan           bool
	BoundCIDRs       []netip.Prefix
	TokenPolicies    []string // set by the core
	IdentityPolicies []string // set by the core
}

// Alias is a name that an auth method knows somebody by.
type Alias struct {
	Name     string
	Metadata map[string]string
}

// Lease is a secret that ends.
type Lease struct {
	ID           string // set by the core
	TTL          time.Duration
	MaxTTL       time.Duration
	Renewable    bool
	InternalData map[string]any // for Renew and Revoke; never shown
	Increment    time.Duration  // asked for in a Renew; 0: the default
	IssueTime    time.Time      // set by the core
	ExpireTime   time.Time      // set by the core
}

// Handler answers one operation of a route.
type Handler func(ctx context.Context, r *Request) (*Response, error)
