package mcp_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/testservice"
)

// An assistant's afternoon: it takes in a .env, finds what production lacks, asks the database, calls an API that wants the key, and
// rotates the key. What it has seen at the end holds no value.
func TestReality(t *testing.T) {
	t.Parallel()
	pg := testservice.Postgres(t)
	const apiKey = "sk_live_51RealityRealityReality"
	each(t, func(t *testing.T, revision string) {
		var taken []string
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			taken = append(taken, key)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"balance":42,"debug":"you sent ` + key + `"}`)) // a careless service
		}))
		t.Cleanup(api.Close)
		h := newHome(t)
		database := pg.URL("postgres", "/postgres", "sslmode=disable")
		dotenv := "# our own\nAPI_KEY=" + apiKey + "\nDATABASE_URL=" + database + "\nPORT=3000\n"
		check(t, os.WriteFile(filepath.Join(h.dir, ".env"), []byte(dotenv), 0o600))
		h.put(t, "production", "PORT", "80")
		c := dial(t, h.serve(t, nil), revision, nil)

		var imported struct{ Imported []string }
		c.ok("bulk_import", map[string]any{"file": ".env"}, &imported)
		if slices.Sort(imported.Imported); !slices.Equal(imported.Imported, []string{"API_KEY", "DATABASE_URL", "PORT"}) {
			t.Fatalf("imported %v", imported.Imported)
		}
		var differs struct {
			OnlyLeft []string `json:"only_left"`
		}
		c.ok("compare_envs", map[string]any{"left": "development", "right": "production"}, &differs)
		if !slices.Equal(differs.OnlyLeft, []string{"API_KEY", "DATABASE_URL"}) {
			t.Errorf("production lacks %v", differs.OnlyLeft)
		}

		query := map[string]any{"query": "SELECT 6 * 7 AS answer"}
		request := map[string]any{"url": api.URL + "/balance", "headers": map[string]any{"Authorization": "Bearer ${zvault://API_KEY}"}}
		allow(t, h, "DATABASE_URL", grant.Rule{Tools: []string{"query_database"}, Hosts: []string{pg.Address()}})
		allow(t, h, "API_KEY", grant.Rule{Tools: []string{"http_request"}, Hosts: []string{strings.TrimPrefix(api.URL, "http://")}, In: []string{"header:authorization"}})

		var rows struct{ Rows [][]any }
		c.ok("query_database", query, &rows)
		if len(rows.Rows) != 1 || len(rows.Rows[0]) != 1 || rows.Rows[0][0] != 42.0 {
			t.Errorf("the database answers %v", rows.Rows)
		}
		var answer struct{ Body string }
		c.ok("http_request", request, &answer)
		holds(t, answer.Body, `"balance":42`)

		c.ok("rotate_secret", map[string]any{"name": "API_KEY", "generate": map[string]any{"kind": "hex"}}, nil)
		fresh := h.value(t, "development", "API_KEY")
		c.ok("http_request", request, &answer)
		if n := len(taken); n != 2 || taken[n-2] != apiKey || taken[n-1] != fresh || fresh == apiKey {
			t.Errorf("the API was called %d times, or not with the key before and the key after", n)
		}
		seen := c.String()
		for name, value := range map[string]string{"the key": apiKey, "the new key": fresh, "the password": pg.Password, "the URL": database} {
			if strings.Contains(seen, value) {
				t.Errorf("the assistant has seen %s", name)
			}
		}
		if uses := h.entries(t, "secret.use"); len(uses) < 3 {
			t.Errorf("the log has %d uses", len(uses))
		}
		_, err := h.Platform.Describe(t.Context(), ada, platform.Env{Project: "shop", Slug: "development"}, "API_KEY")
		check(t, err)
	})
}

// allow gives a rule as the person does.
func allow(t *testing.T, h *home, name string, r grant.Rule) {
	t.Helper()
	opened, err := h.Open(t.Context())
	check(t, err)
	person := grant.Approver{Store: opened.Grants, Record: opened.Record, Actor: ada.Actor, Client: ada.Client}
	check(t, person.Allow(t.Context(), "shop", name, r))
}
