package vault

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// errorReply is the body that Vault's clients know: {"errors":["…"]}.
func errorReply(e *logical.Error) *Reply {
	texts := e.Errors
	if texts == nil {
		texts = []string{}
	}
	v := map[string]any{"errors": texts}
	if e.Data != nil {
		v["data"] = e.Data
	}
	body, err := json.Marshal(v)
	if err != nil {
		return &Reply{Status: http.StatusInternalServerError, Body: []byte(`{"errors":["internal error"]}`)}
	}
	return &Reply{Status: e.Status, Body: append(body, '\n')}
}

// told is how an error of no backend in particular is told: as a list of one, which is how Vault's clients see it. A request
// without a valid token is told less.
func told(x *Exchange, e *logical.Error) *logical.Error {
	if x.Token == nil || e != logical.ErrPermissionDenied && e != logical.ErrUnsupportedPath && e != logical.ErrUnsupportedOperation {
		return e
	}
	return &logical.Error{Status: e.Status, Errors: []string{"1 error occurred:\n\t* " + e.Error() + "\n\n"}}
}

// add adds headers to a reply, whose own may be shared.
func (r *Reply) add(headers map[string]string) {
	if len(headers) == 0 {
		return
	}
	all := maps.Clone(r.Header)
	if all == nil {
		all = make(map[string]string, len(headers))
	}
	maps.Copy(all, headers)
	r.Header = all
}

// drop lets go of a reply that is not sent.
func (r *Reply) drop() {
	if r.Stream != nil {
		_ = r.Stream.Close() // nobody reads it
	}
}

// reply renders what a backend has answered.
func (c *Core) reply(x *Exchange, err error) *Reply {
	if err != nil {
		return errorReply(told(x, c.public(x.Call, err)))
	}
	resp := x.Response
	if resp == nil {
		return &Reply{Status: http.StatusNoContent}
	}
	if resp.Stream != nil {
		return &Reply{Status: http.StatusOK, Stream: resp.Stream, ContentType: resp.ContentType, Header: resp.Header}
	}
	if resp.Raw != nil {
		status := resp.Status
		if status == 0 {
			status = http.StatusOK
		}
		return &Reply{Status: status, Body: resp.Raw, ContentType: resp.ContentType, Header: resp.Header}
	}
	if empty(resp) && x.Wrap == nil {
		status := resp.Status
		if status == 0 {
			status = http.StatusNoContent
		}
		return &Reply{Status: status, Header: resp.Header}
	}
	if isList(x.Operation) && len(resp.Keys) == 0 && resp.Data == nil && resp.Rendered == nil && x.Wrap == nil && len(resp.Warnings) == 0 {
		return errorReply(logical.ErrNotFound)
	}
	body, err := appendBody(nil, x.Call.ID, mountType(x.Mount), resp, x.Wrap)
	if err != nil {
		return errorReply(c.public(x.Call, err))
	}
	status := resp.Status
	if status == 0 {
		status = http.StatusOK
	}
	return &Reply{Status: status, Body: body, Header: resp.Header}
}

func isList(o logical.Operation) bool { return o == logical.List || o == logical.Scan }

func mountType(m *Mount) string {
	if m == nil {
		return ""
	}
	return m.Type
}

// empty reports whether a response says nothing.
func empty(r *logical.Response) bool {
	return r.Data == nil && r.Rendered == nil && r.Keys == nil && r.Auth == nil && r.Lease == nil && len(r.Warnings) == 0 && r.Redirect == ""
}

// appendBody writes the envelope of an answer by hand: it is on the path of every read.
func appendBody(dst []byte, id, mountType string, r *logical.Response, wrap *WrapInfo) ([]byte, error) {
	if cap(dst) == 0 {
		dst = make([]byte, 0, 256+len(r.Rendered))
	}
	dst = append(dst, '{')
	if r.TopLevel && wrap == nil {
		raw, err := json.Marshal(r.Data)
		if err != nil {
			return nil, err
		}
		if len(raw) > 2 {
			dst = append(append(dst, raw[1:len(raw)-1]...), ',')
		}
	}
	dst = append(append(dst, `"request_id":"`...), id...)
	dst = append(dst, `","lease_id":`...)
	dst = appendLease(dst, r, wrap)
	dst = append(dst, `,"data":`...)
	dst, err := appendData(dst, r, wrap)
	if err != nil {
		return nil, err
	}
	dst = append(dst, `,"wrap_info":`...)
	if dst, err = appendJSON(dst, wrap, wrap == nil); err != nil {
		return nil, err
	}
	dst = append(dst, `,"warnings":`...)
	if dst, err = appendJSON(dst, r.Warnings, len(r.Warnings) == 0); err != nil {
		return nil, err
	}
	dst = append(dst, `,"auth":`...)
	if wrap != nil || r.Auth == nil {
		dst = append(dst, `null`...)
	} else if dst, err = appendJSON(dst, authJSON(r.Auth), false); err != nil {
		return nil, err
	}
	dst = append(dst, `,"mount_type":`...)
	dst = strconv.AppendQuote(dst, mountType)
	return append(dst, "}\n"...), nil
}

func appendJSON(dst []byte, v any, null bool) ([]byte, error) {
	if null {
		return append(dst, `null`...), nil
	}
	raw, err := json.Marshal(v)
	return append(dst, raw...), err
}

func appendLease(dst []byte, r *logical.Response, wrap *WrapInfo) []byte {
	if r.Lease == nil || wrap != nil {
		return append(dst, `"","renewable":false,"lease_duration":0`...)
	}
	dst = append(dst, '"')
	dst = append(dst, r.Lease.ID...)
	dst = append(dst, `","renewable":`...)
	dst = strconv.AppendBool(dst, r.Lease.Renewable)
	dst = append(dst, `,"lease_duration":`...)
	return strconv.AppendInt(dst, int64(r.Lease.TTL/time.Second), 10)
}

func appendData(dst []byte, r *logical.Response, wrap *WrapInfo) ([]byte, error) {
	switch {
	case wrap != nil:
		return append(dst, `null`...), nil
	case r.Rendered != nil:
		return append(dst, r.Rendered...), nil
	case r.Keys != nil && r.Data == nil:
		v := map[string]any{"keys": r.Keys}
		if r.KeyInfo != nil {
			v["key_info"] = r.KeyInfo
		}
		return appendJSON(dst, v, false)
	}
	return appendJSON(dst, r.Data, r.Data == nil)
}

// authBody is the member "auth".
type authBody struct {
	ClientToken      string            `json:"client_token"`
	Accessor         string            `json:"accessor"`
	Policies         []string          `json:"policies"`
	TokenPolicies    []string          `json:"token_policies"`
	IdentityPolicies []string          `json:"identity_policies,omitempty"`
	Metadata         map[string]string `json:"metadata"`
	LeaseDuration    int64             `json:"lease_duration"`
	Renewable        bool              `json:"renewable"`
	EntityID         string            `json:"entity_id"`
	TokenType        string            `json:"token_type"`
	Orphan           bool              `json:"orphan"`
	MFA              any               `json:"mfa_requirement"`
	NumUses          int               `json:"num_uses"`
}

func authJSON(a *logical.Auth) authBody {
	kind := "service"
	if a.Batch {
		kind = "batch"
	}
	return authBody{
		ClientToken: a.ClientToken, Accessor: a.Accessor, Policies: a.Policies, TokenPolicies: a.TokenPolicies,
		IdentityPolicies: a.IdentityPolicies, Metadata: a.Meta, LeaseDuration: int64(a.TTL / time.Second), Renewable: a.Renewable,
		EntityID: a.EntityID, TokenType: kind, Orphan: a.Orphan, NumUses: a.NumUses,
	}
}

// isNotFound reports whether an error of the store means that nothing is there.
func isNotFound(err error) bool { return errors.Is(err, storage.ErrNotFound) }

// sortedUnique sorts a list of policies and drops what is there twice.
func sortedUnique(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
