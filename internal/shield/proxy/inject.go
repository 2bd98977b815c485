package proxy

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
)

// wanted is a placeholder in a request.
type wanted struct {
	piece *placeholder.Piece
	place string
	// why it cannot be replaced there whatever the rules say; empty if it can.
	unfit string
	// alarm is that of the event.
	alarm bool
}

// taken says why what was found is a sign that somebody has taken a secret; empty if it is none.
func taken(f placeholder.Found) string {
	switch {
	case f.Piece.Canary:
		return "it is a canary, which nobody has a use for"
	case f.Value:
		return "its value itself stands there, not its placeholder: the program has read it elsewhere"
	}
	return ""
}

// misplaced is the event of something found where it cannot be replaced.
func (v *visit) misplaced(f placeholder.Found, place, why string) Event {
	e := v.event(f.Piece.Secret, place, why)
	if t := taken(f); t != "" {
		e.Refused, e.Alarm = t, true
	}
	return e
}

// prepare puts values in the place of placeholders, or says why the request does not leave.
func (v *visit) prepare(out *http.Request) error {
	all := v.search(out)
	body, err := v.openBody(out)
	if err != nil {
		return err
	}
	all = append(append(all, v.resignable(out)...), body...)
	if len(all) > 0 {
		if err := v.permit(all, v.bodyHash(out, body)); err != nil {
			return err
		}
		v.replace(out)
	}
	return v.sendBody(out, len(body) > 0)
}

// search lists the placeholders of a request's head.
func (v *visit) search(out *http.Request) []wanted {
	var all []wanted
	add := func(place, unfit string, found []placeholder.Found) {
		for _, f := range found {
			w := wanted{piece: f.Piece, place: place, unfit: unfit}
			if unfit == "" && f.Encoding != redact.Plain {
				w.unfit = fmt.Sprintf("it is encoded as %s", f.Encoding)
			}
			if t := taken(f); t != "" {
				w.unfit, w.alarm = t, true
			}
			all = append(all, w)
		}
	}
	set := v.p.c.Set
	add("host", "a name of a host is no place for a secret", set.Find([]byte(out.Host)))
	for name, values := range out.Header {
		place := "header:" + strings.ToLower(name)
		add(place, "it is the name of a field", set.Find([]byte(name)))
		for _, value := range values {
			if login, ok := basic(value); ok {
				add(place, "", set.Find(login))
				continue
			}
			add(place, "", set.Find([]byte(value)))
		}
	}
	for _, segment := range strings.Split(out.URL.EscapedPath(), "/") {
		add("path", "", v.findEscaped(segment, url.PathUnescape))
	}
	for _, pair := range strings.Split(out.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(pair, "=")
		add("query", "it is the name of a parameter", v.findEscaped(key, url.QueryUnescape))
		name, err := url.QueryUnescape(key)
		if err != nil {
			name = key
		}
		add("query:"+name, "", v.findEscaped(value, url.QueryUnescape))
	}
	return all
}

// findEscaped looks into a part of a URL as it means, and, for what does not decode, as it is.
func (v *visit) findEscaped(s string, unescape func(string) (string, error)) []placeholder.Found {
	if plain, err := unescape(s); err == nil {
		s = plain
	}
	return v.p.c.Set.Find([]byte(s))
}

// basic decodes the login of "Basic …".
func basic(value string) ([]byte, bool) {
	kind, encoded, ok := strings.Cut(value, " ")
	if !ok || !strings.EqualFold(kind, "basic") {
		return nil, false
	}
	login, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	return login, err == nil
}

// permit asks the policy about each secret and place, and writes each use down.
func (v *visit) permit(all []wanted, bodyHash string) error {
	type use struct{ secret, place string }
	count, places := map[use]int{}, map[string]map[string]bool{}
	var uses []use
	for _, w := range all {
		if w.unfit != "" {
			e := v.event(w.piece.Secret, w.place, w.unfit)
			e.Alarm = w.alarm
			return v.p.refuse(v.in.Context(), e, "")
		}
		u := use{w.piece.Secret, w.place}
		if count[u]++; count[u] == 1 {
			uses = append(uses, u)
		}
		if places[u.secret] == nil {
			places[u.secret] = map[string]bool{}
		}
		places[u.secret][u.place] = true
		if w.place != bodyPlace && count[u] > v.piecesOf(u.secret) {
			return v.p.refuse(v.in.Context(), v.event(u.secret, u.place, "it stands there twice"), "")
		}
	}
	for _, u := range uses {
		if err := v.permitOne(u.secret, u.place, bodyHash, len(places[u.secret]) == 1); err != nil {
			return err
		}
	}
	return nil
}

// piecesOf is how many placeholders a secret has.
func (v *visit) piecesOf(secret string) (n int) {
	for _, p := range v.p.c.Set.Pieces() {
		if p.Secret == secret {
			n++
		}
	}
	return n
}

// permitOne asks the policy about one secret in one place, and writes the use down.
func (v *visit) permitOne(secret, place, bodyHash string, alone bool) error {
	ctx := v.in.Context()
	if v.to.scheme == "http" && !egress.Loopback(v.to.host) {
		return v.p.refuse(ctx, v.event(secret, place, "a secret is not sent without encryption"), "use https")
	}
	u := grant.Use{
		Project: v.p.c.Project, Env: v.p.c.Env, Secrets: []string{secret}, Tool: "shield", Scheme: v.to.scheme, Host: v.to.host, Port: v.to.port,
		Method: v.in.Method, Path: v.in.URL.EscapedPath(), Query: v.in.URL.RawQuery, In: map[string]string{secret: place}, Body: bodyHash,
	}
	if err := v.p.c.Policy.Permit(ctx, u, alone); err != nil {
		return v.p.denied(ctx, v.event(secret, place, ""), err)
	}
	if err := v.p.c.Record(ctx, v.event(secret, place, "")); err != nil {
		return &Refusal{Status: http.StatusServiceUnavailable, Event: v.event(secret, place, "the audit log cannot be written")}
	}
	return nil
}

// replace puts values into the head of a request.
func (v *visit) replace(out *http.Request) {
	for _, values := range out.Header {
		for i, value := range values {
			if login, ok := basic(value); ok {
				if with := v.fill(login, nil); !bytes.Equal(with, login) {
					values[i] = "Basic " + base64.StdEncoding.EncodeToString(with)
				}
				continue
			}
			values[i] = string(v.fill([]byte(value), nil))
		}
	}
	out.URL.RawQuery = v.fillParts(out.URL.RawQuery, "&", url.QueryUnescape, url.QueryEscape)
	escaped := out.URL.EscapedPath()
	if with := v.fillParts(escaped, "/", url.PathUnescape, url.PathEscape); with != escaped {
		if plain, err := url.PathUnescape(with); err == nil {
			out.URL.Path, out.URL.RawPath = plain, with
		}
	}
}

// fillParts puts values into those parts of a path or query that hold a placeholder, and leaves the others as they are.
func (v *visit) fillParts(s, separator string, unescape func(string) (string, error), escape func(string) string) string {
	parts := strings.Split(s, separator)
	for i, part := range parts {
		key, value, ok := strings.Cut(part, "=")
		if separator == "/" || !ok {
			key, value, ok = "", part, false
		}
		plain, err := unescape(value)
		if err != nil || len(v.p.c.Set.Find([]byte(plain))) == 0 {
			continue
		}
		value = escape(string(v.fill([]byte(plain), nil)))
		if ok {
			value = key + "=" + value
		}
		parts[i] = value
	}
	return strings.Join(parts, separator)
}

// fill puts values into text. encode, if not nil, writes a value as it has to stand there. White space around a value is left
// out, as programs do that put it into a field.
func (v *visit) fill(text []byte, encode func(placeholder.Found, []byte) []byte) []byte {
	found := v.p.c.Set.Find(text)
	if len(found) == 0 {
		return text
	}
	var out []byte
	end := 0
	for _, f := range found {
		if f.Start < end {
			continue
		}
		out = append(out, text[end:f.Start]...)
		value := f.Piece.Value.Reveal()
		if encode != nil {
			value = encode(f, value)
		} else {
			value = bytes.TrimSpace(value)
		}
		out, end = append(out, value...), f.End
	}
	return append(out, text[end:]...)
}

// canonical is a field's name as http.Header has it.
func canonical(name string) string { return textproto.CanonicalMIMEHeaderKey(name) }
