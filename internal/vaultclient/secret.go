package vaultclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxAnswer is how large an answer may be.
const maxAnswer = 64 << 20

// Secret is the envelope of Vault's answers. The order of the fields is the order in which they are printed as JSON.
// Numbers in Data are json.Number. It holds secret values: print it only where they are asked for.
type Secret struct {
	RequestID     string         `json:"request_id"`
	LeaseID       string         `json:"lease_id"`
	LeaseDuration int            `json:"lease_duration"` // seconds
	Renewable     bool           `json:"renewable"`
	Data          map[string]any `json:"data"`
	Warnings      []string       `json:"warnings"`
	Auth          *Auth          `json:"auth,omitempty"`
	WrapInfo      *WrapInfo      `json:"wrap_info,omitempty"`
}

// Auth is a token that was given out.
type Auth struct {
	ClientToken      string            `json:"client_token"`
	Accessor         string            `json:"accessor"`
	Policies         []string          `json:"policies"`
	TokenPolicies    []string          `json:"token_policies"`
	IdentityPolicies []string          `json:"identity_policies"`
	Metadata         map[string]string `json:"metadata"`
	Orphan           bool              `json:"orphan"`
	EntityID         string            `json:"entity_id"`
	LeaseDuration    int               `json:"lease_duration"` // seconds
	Renewable        bool              `json:"renewable"`
	MFARequirement   json.RawMessage   `json:"mfa_requirement"`
}

// WrapInfo is what stands for an answer that was wrapped.
type WrapInfo struct {
	Token           string    `json:"token"`
	Accessor        string    `json:"accessor"`
	TTL             int       `json:"ttl"` // seconds
	CreationTime    time.Time `json:"creation_time"`
	CreationPath    string    `json:"creation_path"`
	WrappedAccessor string    `json:"wrapped_accessor"`
}

// ParseSecret reads an answer. It returns nil if there is nothing in it. An answer that is JSON but no envelope becomes the
// Data of one, as some endpoints of sys answer so.
func ParseSecret(r io.Reader) (*Secret, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("reading the answer: it is larger than %d bytes", maxAnswer)
	case len(bytes.TrimSpace(body)) == 0:
		return nil, nil
	}
	s := &Secret{}
	if err := decode(body, s); err != nil {
		return nil, err
	}
	if !s.empty() {
		return s, nil
	}
	var plain map[string]any
	if err := decode(body, &plain); err != nil {
		return nil, err
	}
	if _, refused := plain["errors"]; refused || len(plain) == 0 {
		return nil, nil
	}
	s.Data = plain
	return s, nil
}

func (s *Secret) empty() bool {
	return s.RequestID == "" && s.LeaseID == "" && s.LeaseDuration == 0 && !s.Renewable && s.Data == nil && s.Warnings == nil && s.Auth == nil &&
		s.WrapInfo == nil
}

// decode reads JSON with its numbers as they are written. What it says of an error holds nothing of the body.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("reading the answer as JSON: %w", err)
	}
	return nil
}

// Call sends a request and reads the answer as a secret; nil if there is none in it. Of an answer of 404 to a read or list it
// returns nil, or what came along: a 404 with warnings or data is what a deleted version answers.
func (c *Client) Call(ctx context.Context, r Request) (*Secret, error) {
	answer, err := c.Do(ctx, r)
	if answer == nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // only read from
	if err != nil && StatusOf(err) != http.StatusNotFound {
		return nil, err
	}
	s, parsing := ParseSecret(answer.Body)
	switch {
	case err == nil:
		return s, parsing
	case parsing == nil && s != nil && (len(s.Warnings) > 0 || len(s.Data) > 0):
		return s, missing(r.Method, err)
	}
	return nil, missing(r.Method, err)
}

// missing is nil where not found is an answer and not a failure.
func missing(method string, err error) error {
	if method == http.MethodGet || method == "LIST" {
		return nil
	}
	return err
}

// Read is GET; nil for what is not there.
func (c *Client) Read(ctx context.Context, path string, query url.Values) (*Secret, error) {
	return c.Call(ctx, Request{Method: http.MethodGet, Path: path, Query: query})
}

// List is LIST; nil for what is not there.
func (c *Client) List(ctx context.Context, path string, query url.Values) (*Secret, error) {
	return c.Call(ctx, Request{Method: "LIST", Path: path, Query: query})
}

// Write is PUT with a JSON body.
func (c *Client) Write(ctx context.Context, path string, body any) (*Secret, error) {
	return c.Call(ctx, Request{Method: http.MethodPut, Path: path, Body: body})
}

// Post is POST with a JSON body, for the endpoints where Vault's own clients use it.
func (c *Client) Post(ctx context.Context, path string, body any) (*Secret, error) {
	return c.Call(ctx, Request{Method: http.MethodPost, Path: path, Body: body})
}

// Patch is PATCH with a JSON merge patch.
func (c *Client) Patch(ctx context.Context, path string, body any) (*Secret, error) {
	return c.Call(ctx, Request{Method: http.MethodPatch, Path: path, Body: body, ContentType: MergePatch})
}

// Delete is DELETE.
func (c *Client) Delete(ctx context.Context, path string, query url.Values) (*Secret, error) {
	return c.Call(ctx, Request{Method: http.MethodDelete, Path: path, Query: query})
}

// JSON sends a request whose answer is no envelope, or one whose envelope is of no interest, and reads it into a value. An
// empty answer leaves the value as it is.
func (c *Client) JSON(ctx context.Context, r Request, into any) error {
	answer, err := c.Do(ctx, r)
	if err != nil {
		if answer != nil {
			_ = answer.Body.Close()
		}
		return err
	}
	defer func() { _ = answer.Body.Close() }() // only read from
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	return decode(body, into)
}
