package proxy

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"strings"
)

// newPassword makes the credential of a run.
func newPassword() string {
	b := make([]byte, 18)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

type connKey struct{}

// withConn lets handlers see the connection that they answer on.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// admitted reports whether a request comes from the shielded program: it shows the credentials, or its socket is of this user.
func (p *Proxy) admitted(r *http.Request) bool {
	kind, encoded, _ := strings.Cut(r.Header.Get("Proxy-Authorization"), " ")
	want := base64.StdEncoding.EncodeToString([]byte(p.user + ":" + p.password))
	if strings.EqualFold(kind, "basic") && subtle.ConstantTimeCompare([]byte(strings.TrimSpace(encoded)), []byte(want)) == 1 {
		return true
	}
	c, ok := r.Context().Value(connKey{}).(*strictConn)
	if !p.c.SameUser || !ok {
		return false
	}
	if !c.asked {
		c.asked, c.sameUser = true, sameUser(c.Conn)
	}
	return c.sameUser
}

// serveOuter answers what programs ask of a proxy.
func (p *Proxy) serveOuter(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		w.Header().Set("Connection", "close") // what follows one that is refused was not checked
	}
	if !p.admitted(r) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="zvault shield"`)
		problem(w, http.StatusProxyAuthRequired, "these are not the credentials of this run", nil)
		return
	}
	r.Header.Del("Proxy-Authorization")
	switch {
	case r.Method == http.MethodConnect:
		p.connect(w, r)
	case r.URL.Scheme == "http" || r.URL.Scheme == "https":
		t, err := targetOf(r.URL.Scheme, r.URL.Host)
		if err != nil {
			problem(w, http.StatusBadRequest, err.Error(), nil)
			return
		}
		p.exchange(w, r, t)
	default:
		problem(w, http.StatusBadRequest, "this is the proxy of zvault shield: it takes CONNECT and absolute addresses", nil)
	}
}

// serveInner answers requests within a connection that was decrypted.
func (p *Proxy) serveInner(w http.ResponseWriter, r *http.Request) {
	t, ok := innerTarget(r.Context())
	if !ok {
		problem(w, http.StatusInternalServerError, "the connection leads nowhere", nil)
		return
	}
	if r.Method == http.MethodConnect {
		problem(w, http.StatusMethodNotAllowed, "there is no CONNECT within a connection", nil)
		return
	}
	asked, err := targetOf(t.scheme, r.Host)
	if err != nil || asked != t {
		problem(w, http.StatusMisdirectedRequest, "the request is for another host than the connection", nil)
		return
	}
	p.exchange(w, r, t)
}
