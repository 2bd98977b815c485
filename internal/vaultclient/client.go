// Package vaultclient speaks Vault's HTTP API: requests with a token, a namespace and a wrapping TTL in their headers, answers
// as [Secret] or [ResponseError]. It knows no endpoint; that is the caller's part.
//
// Start with [FromEnvironment], which reads the VAULT_ variables, change what flags say, and hand it to [New]. A Client is
// used by one goroutine at a time. Nothing here runs at start-up: the transport is built by New.
package vaultclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client talks to one server.
type Client struct {
	config Config
	base   *url.URL
	http   *http.Client
	// DryRun makes the next request not be sent: [Client.Do] returns it as a [*NotSent].
	DryRun bool
	// sleep waits between tries; tests turn it.
	sleep func(context.Context, time.Duration) error
}

// New checks the configuration and returns a client for it. It sends nothing.
func New(c Config) (*Client, error) {
	base, socket, err := parseAddress(c.Address)
	if err != nil {
		return nil, err
	}
	security, err := c.tls()
	if err != nil {
		return nil, err
	}
	for name := range c.Headers {
		if strings.HasPrefix(http.CanonicalHeaderKey(name), "X-Vault-") {
			return nil, fmt.Errorf("header %q: headers that start with X-Vault- are set by this client alone", name)
		}
	}
	client := &http.Client{
		Transport:     transport(security, socket),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Client{config: c, base: base, http: client, sleep: sleep}, nil
}

// parseAddress returns the base of URLs and, for unix:///path, the socket to dial.
func parseAddress(address string) (*url.URL, string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, "", fmt.Errorf("parsing the server's address: %w", withoutURL(err))
	}
	switch {
	case u.Scheme == "unix" && u.Path != "":
		return &url.URL{Scheme: "http", Host: "localhost"}, u.Path, nil
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		if u.User != nil {
			return nil, "", errors.New("parsing the server's address: a user or password has no place in it")
		}
		u.Path = strings.TrimRight(u.Path, "/")
		return u, "", nil
	}
	return nil, "", fmt.Errorf("parsing the server's address: %q is not http://HOST:PORT, https://HOST:PORT or unix:///PATH", address)
}

// withoutURL takes the URL out of an error, since a mistyped one may hold a password.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func transport(security *tls.Config, socket string) *http.Transport {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: security,
		TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second, ForceAttemptHTTP2: true,
	}
	if socket != "" {
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}
	}
	return t
}

// sleep waits, or returns earlier with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Token is the token that requests carry; "" for none.
func (c *Client) Token() string { return c.config.Token }

// SetToken changes the token of later requests; "" sends none.
func (c *Client) SetToken(token string) { c.config.Token = token }

// SetNamespace changes the namespace of later requests; "" is the root.
func (c *Client) SetNamespace(namespace string) { c.config.Namespace = namespace }

// SetWrapTTL asks for the answers of later requests to be wrapped for so long, such as "60s"; "" for not.
func (c *Client) SetWrapTTL(ttl string) { c.config.WrapTTL = ttl }

// Live returns the same client for a request that is sent and not wrapped whatever DryRun and the wrapping TTL say: one that
// only finds out how to make the request that was asked for.
func (c *Client) Live() *Client {
	live := *c
	live.DryRun = false
	live.config.WrapTTL = ""
	return &live
}
