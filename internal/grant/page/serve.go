package page

import (
	"net/http"
	"net/netip"
	"strings"
)

const (
	openPath = "/open/"
	formPath = "/form"
	// maxForm is the longest form in bytes: a value of half of it, escaped.
	maxForm = 1 << 20
)

// guard lets through what a person's browser on this machine sends of itself, and nothing that another page or name makes it
// send: the name must be ours (DNS rebinding), a form must come from our page (cross-site requests), and a page is opened as
// a page, not as a picture, in a frame or in advance. It also sets the headers that every answer has.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		if status := s.refused(r); status != 0 {
			write(w, status, notice("Not possible", "This page can only be opened in a browser on this machine, at the address that was shown."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func setHeaders(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+styleHash()+"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// With no-referrer a browser would send the form's Origin as null.
	h.Set("Referrer-Policy", "same-origin")
}

// refused returns the status for a request that is not to be served, or 0.
func (s *Server) refused(r *http.Request) int {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	switch {
	case err != nil || !from.Addr().Unmap().IsLoopback():
		return http.StatusForbidden
	case r.Host != s.host:
		return http.StatusMisdirectedRequest
	case r.Header.Get("Sec-Purpose") != "" || r.Header.Get("Purpose") != "" || r.Header.Get("X-Moz") != "":
		return http.StatusServiceUnavailable
	case r.Method == http.MethodGet:
		if !among(r.Header.Get("Sec-Fetch-Dest"), "", "document") || !among(r.Header.Get("Sec-Fetch-Mode"), "", "navigate") {
			return http.StatusForbidden
		}
	case r.Method == http.MethodPost:
		if r.Header.Get("Origin") != s.origin || !among(r.Header.Get("Sec-Fetch-Site"), "", "same-origin") {
			return http.StatusForbidden
		}
	default:
		return http.StatusMethodNotAllowed
	}
	return 0
}

func among(s string, set ...string) bool {
	for _, x := range set {
		if s == x {
			return true
		}
	}
	return false
}

// serve shows a page, or takes its form.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	token, isOpen := strings.CutPrefix(r.URL.Path, openPath)
	switch {
	case isOpen && r.Method == http.MethodGet:
		s.serveOpen(w, r, token)
	case r.URL.Path == formPath && r.Method == http.MethodPost:
		s.serveForm(w, r)
	default:
		write(w, http.StatusNotFound, notice("Nothing here", "There is no such page."))
	}
}

func (s *Server) serveOpen(w http.ResponseWriter, r *http.Request, token string) {
	t, form := s.open(token)
	if t == nil {
		write(w, http.StatusGone, notice("This address has been used, or its time is over",
			"It works once. If it was not you who opened it, something else on this machine did. Run “zvault approve” in a terminal to see what waits for you."))
		return
	}
	t.page.open(r.Context())
	write(w, http.StatusOK, t.page.show(form, ""))
}

func (s *Server) serveForm(w http.ResponseWriter, r *http.Request) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/x-www-form-urlencoded" {
		write(w, http.StatusUnsupportedMediaType, notice("Not possible", "This is not the form of the page."))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		write(w, http.StatusBadRequest, notice("Not possible", "The form could not be read. It may be longer than half a million letters."))
		return
	}
	id, t := s.submitted(r.PostForm.Get("key"))
	if t == nil {
		write(w, http.StatusGone, notice("This form has been used, or its time is over", "Nothing was changed by it now."))
		return
	}
	result, wrong, done := t.page.act(r.Context(), r.PostForm.Get)
	switch {
	case done || wrong == "":
		s.drop(id)
		write(w, http.StatusOK, result)
	default:
		write(w, http.StatusUnprocessableEntity, t.page.show(s.again(t), wrong))
	}
}

// write sends a page. That the browser has gone changes nothing.
func write(w http.ResponseWriter, status int, b body) {
	w.WriteHeader(status)
	_, _ = w.Write(b.document())
}
