package logical

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Type is the type of a field.
type Type string

// The types of fields, as ?help=1 and OpenAPI call them.
const (
	String     Type = "string"
	LowerCase  Type = "lowercase string"
	Int        Type = "int"
	Bool       Type = "bool"
	Map        Type = "map"
	KVPairs    Type = "keypair"
	Strings    Type = "slice" // of strings; also accepts one string
	CommaList  Type = "comma string slice"
	Seconds    Type = "duration (sec)"
	Any        Type = "any"
	HeaderList Type = "header"
)

// Field describes one member of a body, a query parameter or a captured part of a path.
type Field struct {
	Name    string
	Type    Type
	Default any // what Data gives if it is missing; nil: the zero value of the type
	Help    string
}

// Route is one path pattern of a backend.
//
// A pattern is segments with slashes between: "keys/:name/config". ":name" captures one segment, "*path" as the last segment
// captures the rest, slashes and all, and may be empty. A literal segment wins over a capture.
type Route struct {
	Pattern string
	Fields  []Field
	// Ops are the operations there are.
	Ops map[Operation]Handler
	// Exists tells Create from Update for policies; nil: every write is an Update.
	Exists func(ctx context.Context, r *Request) (bool, error)
	// AnyField says that the body is the client's own, so that no member of it is unknown.
	AnyField bool
	// Open paths need no token.
	Open bool
	// Login, on the path of an auth method where one signs in, is who tries to: the name that is locked when its password is
	// guessed at. "" is nobody in particular.
	Login func(r *Request) string
	// Sudo paths need the sudo capability.
	Sudo bool
	// Synopsis and Description are what ?help=1 says.
	Synopsis    string
	Description string
}

// Backend is an engine or an auth method, mounted or not: it has no state but what is in the storage it is handed.
type Backend struct {
	Type   string // "kv", "approle"
	Routes []*Route
	Help   string
	// Renew and Revoke act on leases that the backend gave out; nil if it gives none.
	Renew  Handler
	Revoke Handler
	// RenewAuth is asked before a token that this auth method gave is renewed; nil: renewed by the token's own terms.
	// Request.Data holds what Auth.InternalData was; the answer's Auth may change TTL, MaxTTL, Period and Policies.
	RenewAuth Handler
	// Setup runs in the transaction that mounts the backend, Options being the mount's.
	Setup func(ctx context.Context, s Storage, options map[string]string) error
	// Upgrade brings what an older version of the engine has kept to the form of this one, a part each time it is called, until
	// there is no more; no request comes in meanwhile. nil: there is no older version.
	Upgrade func(ctx context.Context, s Storage, now time.Time) (more bool, err error)
	// Periodic runs about once a minute on one node, for each mount.
	Periodic func(ctx context.Context, r *Request) error

	index *node
}

// node is a tree of patterns.
type node struct {
	route    *Route
	literals map[string]*node
	capture  *node
	name     string // of the capture
	rest     *Route
	restName string
}

// Ready indexes the routes; it is called once, before the first Match. Two routes of one pattern are a mistake of the
// program, for which it panics.
func (b *Backend) Ready() *Backend {
	b.index = &node{}
	for _, r := range b.Routes {
		b.index.add(strings.Split(r.Pattern, "/"), r)
	}
	return b
}

func (n *node) add(segments []string, r *Route) {
	if len(segments) == 0 {
		if n.route != nil {
			panic("logical: two routes for " + r.Pattern)
		}
		n.route = r
		return
	}
	head := segments[0]
	switch {
	case strings.HasPrefix(head, "*"):
		n.rest, n.restName = r, head[1:]
	case strings.HasPrefix(head, ":"):
		if n.capture == nil {
			n.capture = &node{name: head[1:]}
		}
		if n.capture.name != head[1:] {
			panic("logical: two names for one segment in " + r.Pattern)
		}
		n.capture.add(segments[1:], r)
	default:
		if n.literals == nil {
			n.literals = map[string]*node{}
		}
		child := n.literals[head]
		if child == nil {
			child = &node{}
			n.literals[head] = child
		}
		child.add(segments[1:], r)
	}
}

// Params are the captured parts of a path.
type Params []Param

// Param is one captured part.
type Param struct{ Name, Value string }

// Get returns a captured part, "" if there is none.
func (p Params) Get(name string) string {
	for i := range p {
		if p[i].Name == name {
			return p[i].Value
		}
	}
	return ""
}

// Match returns the route for a path and what it captured, or nil. A trailing slash, which lists have, is not part of the
// pattern.
func (b *Backend) Match(path string) (*Route, Params) {
	var params Params
	r := b.index.match(path, &params)
	return r, params
}

func (n *node) match(path string, params *Params) *Route {
	if path == "" {
		if n.route != nil {
			return n.route
		}
		return n.tail(path, params)
	}
	head, after, more := strings.Cut(path, "/")
	if child := n.literals[head]; child != nil {
		if r := child.match(after, params); r != nil {
			return r
		}
	}
	if n.capture != nil && head != "" {
		mark := len(*params)
		*params = append(*params, Param{n.capture.name, head})
		if r := n.capture.match(after, params); r != nil && (!more || after != "" || r.Ops[List] != nil || r.Ops[Scan] != nil) {
			return r
		}
		*params = (*params)[:mark]
	}
	return n.tail(path, params)
}

func (n *node) tail(path string, params *Params) *Route {
	if n.rest == nil {
		return nil
	}
	*params = append(*params, Param{n.restName, path})
	return n.rest
}

// Handle finds the route for a request and calls its handler.
func (b *Backend) Handle(ctx context.Context, r *Request) (*Response, error) {
	switch r.Operation {
	case Renew:
		return call(ctx, b.Renew, r)
	case Revoke:
		return call(ctx, b.Revoke, r)
	}
	route, params := b.Match(r.Path)
	if route == nil {
		return nil, ErrUnsupportedPath
	}
	r.Params = params
	h := route.Ops[r.Operation]
	if h == nil && r.Operation == Create {
		h = route.Ops[Update]
	}
	if h == nil {
		return nil, ErrUnsupportedOperation
	}
	if err := r.Data.check(route.Fields); err != nil {
		return nil, err
	}
	resp, err := h(ctx, r)
	if err != nil || r.Operation != Create && r.Operation != Update && r.Operation != Patch {
		return resp, err
	}
	return route.warn(r, resp), nil
}

// warn adds to an answer what the route made of members that it does not know: nothing.
func (t *Route) warn(r *Request, resp *Response) *Response {
	if t.AnyField || len(t.Fields) == 0 || len(r.Data.Raw) == 0 {
		return resp
	}
	var unknown, replaced []string
	for name := range r.Data.Raw {
		switch {
		case r.Params.Get(name) != "":
			replaced = append(replaced, name)
		case !t.knows(name):
			unknown = append(unknown, name)
		}
	}
	if unknown == nil && replaced == nil {
		return resp
	}
	if resp == nil {
		resp = &Response{}
	} else {
		resp = new(*resp) // a backend may keep what it answers
		resp.Warnings = slices.Clone(resp.Warnings)
	}
	if unknown != nil {
		slices.Sort(unknown)
		resp.Warnings = append(resp.Warnings, fmt.Sprintf("Endpoint ignored these unrecognized parameters: %v", unknown))
	}
	if replaced != nil {
		slices.Sort(replaced)
		resp.Warnings = append(resp.Warnings,
			fmt.Sprintf("Endpoint replaced the value of these parameters with the values captured from the endpoint's path: %v", replaced))
	}
	return resp
}

func (t *Route) knows(name string) bool {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return true
		}
	}
	return false
}

func call(ctx context.Context, h Handler, r *Request) (*Response, error) {
	if h == nil {
		return nil, ErrUnsupportedOperation
	}
	return h(ctx, r)
}

// Is reports whether err is the client's Error target.
func Is(err error, target *Error) bool { return errors.Is(err, target) }
