package server_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/server"
	"github.com/ArcadeLabsInc/zvault/internal/server/servertest"
)

func TestServer_Mount(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	s.Mount("/mcp", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "mounted "+r.URL.Path) }))
	for path, want := range map[string]string{"/mcp": "mounted /mcp", "/mcp/x": "mounted /mcp/x", "/mcpx": "", "/v1/mcp": "", "/": ""} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := w.Body.String(); (want != "") != (w.Code == http.StatusOK) || want != "" && got != want {
			t.Errorf("%s: %d %q, want %q", path, w.Code, got, want)
		}
	}
}

func TestServer_Holder(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	h, err := s.Holder(t.Context(), s.Token)
	if err != nil || h.Accessor == "" || !slices.Equal(h.Policies, []string{"root"}) || !h.Expires.IsZero() {
		t.Errorf("%+v, %v", h, err)
	}
	for _, token := range []string{"", "made-up"} {
		if _, err := s.Holder(t.Context(), token); !errors.Is(err, server.ErrNoToken) {
			t.Errorf("%q: %v, want ErrNoToken", token, err)
		}
	}
}
