package server

import (
	"net/http"
	"strings"
)

const corsAge = "300" // seconds that a browser may remember what it was told

// corsMethods are what the API understands.
var corsMethods = strings.Join([]string{
	http.MethodDelete, http.MethodGet, http.MethodOptions, http.MethodPost, http.MethodPut, "LIST", "SCAN", http.MethodPatch,
}, ", ")

// crossOrigin tells a browser whether a page of another origin may do what it asks for. It reports whether it has answered
// the request.
func (s *Server) crossOrigin(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	if origin == "" {
		return false
	}
	cors, err := s.core.CORS(r.Context())
	if err != nil {
		s.log.Error("reading which origins are allowed failed", "error", err)
	}
	if !cors.Allows(origin) {
		if preflight {
			w.WriteHeader(http.StatusForbidden)
		}
		return preflight // without the headers, the browser keeps the answer from the page
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Add("Vary", "Origin")
	if !preflight {
		return false
	}
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", strings.Join(cors.Headers, ","))
	h.Set("Access-Control-Max-Age", corsAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}
