package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// Refusal is a request that was stopped before it left.
type Refusal struct {
	Status int
	Event  Event
	Hint   string
}

// Error says why, without a value.
func (r *Refusal) Error() string { return "the shield stopped the request: " + r.Event.Refused }

// refuse makes a refusal and writes it down.
func (p *Proxy) refuse(ctx context.Context, e Event, hint string) *Refusal {
	r := &Refusal{Status: http.StatusForbidden, Event: e, Hint: hint}
	if err := p.c.Record(context.WithoutCancel(ctx), e); err != nil {
		r.Status = http.StatusServiceUnavailable // it is stopped all the same
		r.Event.Refused += "; and the audit log cannot be written"
	}
	return r
}

// denied makes a refusal of what the policy says.
func (p *Proxy) denied(ctx context.Context, e Event, err error) *Refusal {
	hint := ""
	var d *grant.DeniedError
	if errors.As(err, &d) {
		e.Refused, hint = d.Reason, d.Hint
	} else {
		e.Refused = err.Error()
	}
	return p.refuse(ctx, e, hint)
}

// write answers with the refusal.
func (r *Refusal) write(w http.ResponseWriter) {
	more := map[string]any{"host": r.Event.Host}
	for name, v := range map[string]string{"secret": r.Event.Secret, "place": r.Event.Place, "hint": r.Hint} {
		if v != "" {
			more[name] = v
		}
	}
	problem(w, r.Status, r.Error(), more)
}

// problem answers with a problem document (RFC 9457).
func problem(w http.ResponseWriter, status int, detail string, more map[string]any) {
	document := map[string]any{"title": http.StatusText(status), "status": status, "detail": detail}
	for k, v := range more {
		document[k] = v
	}
	body, err := json.Marshal(document)
	if err != nil {
		body = fmt.Appendf(nil, `{"status":%d}`, status)
	}
	body = append(body, '\n')
	h := w.Header()
	for name := range h {
		if name != "Proxy-Authenticate" && name != "Connection" {
			h.Del(name)
		}
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Zvault-Shield", "refused")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a program that has gone misses it
}
