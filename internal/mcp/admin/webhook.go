package admin

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type webhookTestIn struct {
	URL    string `json:"url" jsonschema:"where to send the event: https, or http on loopback"`
	Secret string `json:"secret" jsonschema:"name of the secret that the event is signed with"`
	Env    string `json:"env,omitempty" jsonschema:"environment; the one in force if left out"`
	Type   string `json:"type,omitempty" jsonschema:"type of the event; zvault.test if left out"`
}

type webhookTestOut struct {
	ID        string `json:"id" jsonschema:"the webhook-id that was sent"`
	Status    int    `json:"status"`
	Body      string `json:"body" jsonschema:"what the receiver answered"`
	Truncated bool   `json:"truncated,omitempty" jsonschema:"the body was cut; the limit is the person's (--max-body)"`
	Millis    int64  `json:"milliseconds"`
}

func webhookTest() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "webhook_test", Title: "Send a test event", Set: tool.Admin, OpenWorld: true, Outside: true,
		Text: "Sends a signed test event to a webhook's address and shows the answer. The signature is that of the Standard Webhooks specification " +
			"(headers webhook-id, webhook-timestamp, webhook-signature), made with a secret that the receiver has too. Redirects are not followed.",
	}, runWebhookTest)
}

func runWebhookTest(ctx context.Context, c *tool.Call, a webhookTestIn) (webhookTestOut, error) {
	u, err := target(a.URL)
	if err != nil {
		return webhookTestOut{}, err
	}
	e := in(c, a.Env)
	kind := a.Type
	if kind == "" {
		kind = "zvault.test"
	}
	id, now := "msg_"+uuid.NewString(), time.Now()
	what, err := json.Marshal(map[string]any{"type": kind, "data": map[string]any{"project": e.Project, "env": e.Slug, "test": true}})
	if err != nil {
		return webhookTestOut{}, err
	}
	port, err := portOf(u)
	if err != nil {
		return webhookTestOut{}, err
	}
	err = c.Gate.Authorize(ctx, grant.Use{
		Project: e.Project, Env: e.Slug, Secrets: []string{a.Secret}, Tool: "webhook_test", Scheme: u.Scheme, Host: strings.ToLower(u.Hostname()),
		Port: port, Method: http.MethodPost, Path: u.Path, In: map[string]string{a.Secret: "header:webhook-signature"}, Body: grant.BodyHash(what),
	})
	if err != nil {
		return webhookTestOut{}, err
	}
	values, err := c.Session.Reveal(ctx, e, []string{a.Secret})
	if err != nil {
		return webhookTestOut{}, err
	}
	key, err := signingKey(string(values[a.Secret].Reveal()))
	if err != nil {
		return webhookTestOut{}, err
	}
	return send(ctx, c, u, what, id, now, key)
}

// target reads an address that an event may be sent to.
func target(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return nil, tool.Invalid("%q is no address of a webhook", text)
	case u.Scheme != "https" && (u.Scheme != "http" || !egress.Loopback(u.Hostname())):
		return nil, tool.Invalid("%q: an event is sent over https, or http on loopback", text)
	}
	return u, nil
}

func portOf(u *url.URL) (int, error) {
	text := u.Port()
	switch {
	case text == "" && u.Scheme == "https":
		return 443, nil
	case text == "":
		return 80, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, tool.Invalid("the port %q is none", text)
	}
	return int(port), nil
}

// signingKey reads a secret as Standard Webhooks has it: whsec_ and base64. Any other text is the key itself.
func signingKey(text string) ([]byte, error) {
	coded, ok := strings.CutPrefix(text, "whsec_")
	if !ok {
		return []byte(text), nil
	}
	key, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		return nil, tool.Failed("failed", "the secret begins with whsec_ and is no base64 behind that")
	}
	return key, nil
}

func send(ctx context.Context, c *tool.Call, u *url.URL, what []byte, id string, now time.Time, key []byte) (webhookTestOut, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(what))
	if err != nil {
		return webhookTestOut{}, tool.Invalid("no request can be made of the address")
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + stamp + "." + string(what))) // a hash takes everything
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", stamp)
	signature := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	req.Header.Set("Webhook-Signature", signature)
	client := &http.Client{
		Transport:     &http.Transport{DialContext: c.Dialer.DialContext, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return webhookTestOut{}, unreachable(err, u)
	}
	defer func() { _ = res.Body.Close() }() // only read from
	body, err := io.ReadAll(io.LimitReader(res.Body, int64(c.Limits.Body)+1))
	if err != nil {
		return webhookTestOut{}, unreachable(err, u)
	}
	out := webhookTestOut{ID: id, Status: res.StatusCode, Millis: time.Since(now).Milliseconds(), Truncated: len(body) > c.Limits.Body}
	out.Body = strings.ToValidUTF8(string(body[:min(len(body), c.Limits.Body)]), "\uFFFD")
	return out, nil
}

// unreachable says that nobody answered, without what the other side may have written.
func unreachable(err error, u *url.URL) error {
	if errors.Is(err, egress.ErrRefused) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return err
	}
	return tool.Failed("unreachable", "%s did not answer as an HTTP server does", u.Host)
}
