package vaultclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Request is one call. Path is what follows /v1/, without escapes.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	// Body is sent as JSON; nil sends none.
	Body any
	// Raw is sent as it is, from its start, instead of Body. The request is not repeated then.
	Raw io.Reader
	// ContentType is that of the body; "" leaves it out.
	ContentType string
	// Long says that the answer may take longer than the client's timeout: a snapshot.
	Long bool
}

// MergePatch is the content type of a PATCH by RFC 7396.
const MergePatch = "application/merge-patch+json"

// Waits between tries, as Vault's clients have them; they do not grow beyond the second.
const (
	minWait = time.Second
	maxWait = 1500 * time.Millisecond
)

const defaultTimeout = 60 * time.Second

// Do sends a request and returns the answer, whose body the caller closes. An answer of 400 or more is returned together with
// a [*ResponseError]; its body can be read all the same. With DryRun nothing is sent and the error is a [*NotSent].
func (c *Client) Do(ctx context.Context, r Request) (*http.Response, error) {
	body, err := r.encode()
	if err != nil {
		return nil, err
	}
	target := c.url(r)
	if c.DryRun {
		return nil, &NotSent{Method: r.Method, URL: target.String(), Header: c.header(r), Body: body, stream: r.Raw != nil, tls: c.config.TLS}
	}
	ctx, cancel := c.deadline(ctx, r)
	answer, err := c.tries(ctx, r, target, body)
	if err != nil {
		cancel()
		return nil, err
	}
	answer.Body = &closing{ReadCloser: answer.Body, done: cancel}
	return answer, c.failure(r.Method, target, answer)
}

// closing ends the request's deadline when its body is closed.
type closing struct {
	io.ReadCloser
	done func()
}

func (c *closing) Close() error {
	defer c.done()
	return c.ReadCloser.Close()
}

func (c *Client) deadline(ctx context.Context, r Request) (context.Context, context.CancelFunc) {
	limit := c.config.Timeout
	if limit == 0 {
		limit = defaultTimeout
	}
	if limit < 0 || r.Long {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

func (r Request) encode() ([]byte, error) {
	if m, isMap := r.Body.(map[string]any); r.Body == nil || isMap && m == nil {
		return nil, nil
	}
	body, err := json.Marshal(r.Body)
	if err != nil {
		return nil, fmt.Errorf("encoding the request: %w", err)
	}
	return body, nil
}

func (c *Client) url(r Request) *url.URL {
	u := *c.base
	u.Path = c.base.Path + "/v1/" + strings.TrimPrefix(r.Path, "/")
	u.RawQuery = r.Query.Encode()
	return &u
}

// header is what goes before the body.
func (c *Client) header(r Request) http.Header {
	h := http.Header{"X-Vault-Request": {"true"}}
	for name, value := range c.config.Headers {
		h.Set(name, value)
	}
	set := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	set("X-Vault-Token", c.config.Token)
	set("X-Vault-Namespace", c.config.Namespace)
	set("X-Vault-Wrap-TTL", c.wrapTTL(r))
	set("Content-Type", r.ContentType)
	for _, m := range c.config.MFA {
		h.Add("X-Vault-MFA", m)
	}
	return h
}

// wrapTTL is what was asked for; what is wrapped by hand lasts five minutes if nothing else was said.
func (c *Client) wrapTTL(r Request) string {
	if c.config.WrapTTL == "" && (r.Method == http.MethodPut || r.Method == http.MethodPost) && r.Path == "sys/wrapping/wrap" {
		return "5m"
	}
	return c.config.WrapTTL
}

// tries sends the request, again after a failure that may pass.
func (c *Client) tries(ctx context.Context, r Request, target *url.URL, body []byte) (*http.Response, error) {
	for try := 0; ; try++ {
		answer, err := c.redirected(ctx, r, target, body)
		if try >= c.config.MaxRetries || r.Raw != nil || !passing(ctx, answer, err) {
			return answer, err
		}
		if answer != nil {
			discard(answer)
		}
		wait := minWait << min(try, 4)
		if err := c.sleep(ctx, min(wait, maxWait)); err != nil {
			return nil, fmt.Errorf("waiting to repeat the request: %w", err)
		}
	}
}

// passing reports whether a failure may be gone the next time.
func passing(ctx context.Context, answer *http.Response, err error) bool {
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		return !errors.Is(err, errRedirect) && !isCertificate(err)
	}
	return answer.StatusCode == http.StatusPreconditionFailed || answer.StatusCode >= 500 && answer.StatusCode != http.StatusNotImplemented
}

var errRedirect = errors.New("following a redirect")

// redirected sends the request and follows one redirect, as a standby answers with one to the active node.
func (c *Client) redirected(ctx context.Context, r Request, target *url.URL, body []byte) (*http.Response, error) {
	answer, err := c.send(ctx, r, target, body)
	if err != nil || c.config.NoRedirects {
		return answer, err
	}
	switch answer.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return answer, nil
	}
	to, err := answer.Location()
	discard(answer)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errRedirect, err)
	case target.Scheme == "https" && to.Scheme != "https":
		return nil, fmt.Errorf("%w: it leads from https to http, where the token would be in clear", errRedirect)
	case r.Raw != nil:
		return nil, fmt.Errorf("%w: the body cannot be sent twice; name the active node as the address", errRedirect)
	}
	return c.send(ctx, r, to, body)
}

func (c *Client) send(ctx context.Context, r Request, target *url.URL, body []byte) (*http.Response, error) {
	var reader io.Reader
	switch {
	case r.Raw != nil:
		reader = r.Raw
	case body != nil:
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target.String(), reader)
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	req.Header = c.header(r)
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the server: %w", err)
	}
	return answer, nil
}

// discard reads the rest of a body that nobody wants, so that the connection can be used again. What fails there fails again
// where it matters: at the next request.
func discard(answer *http.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10)
	_ = answer.Body.Close()
}
