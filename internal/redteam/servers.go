package redteam

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// haul is what the thief has got.
type haul struct {
	mu     sync.Mutex
	pieces [][]byte
}

func (h *haul) add(piece []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pieces = append(h.pieces, bytes.Clone(piece))
}

func (h *haul) all() [][]byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.pieces)
}

const maxRequest = 8 << 20

// collector is the thief's own server: all that it sees is the thief's.
func collector(h *haul) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head, err := httputil.DumpRequest(r, false)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		h.add(head)
		if plain, err := url.QueryUnescape(r.RequestURI); err == nil {
			h.add([]byte(plain))
		}
		if login, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")); err == nil {
			h.add(login)
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
		h.add(body)
		if err == nil {
			_, _ = io.WriteString(w, "thanks\n")
		}
	})
}

// service is the server that the secret may be sent to, in the Authorization field. All else that it is told it publishes, as a
// tracker of issues does; and below /reflect/ it says what it was sent there, in several forms, as careless services do.
func service(h *haul, authorized func(field string)) http.Handler {
	mux := http.NewServeMux()
	publish := func(r *http.Request) {
		authorized(r.Header.Get("Authorization"))
		public := r.Header.Clone()
		public.Del("Authorization")
		var b bytes.Buffer
		_, _ = fmt.Fprintln(&b, r.Method, r.RequestURI, r.Host)
		_ = public.Write(&b) // into memory
		h.add(b.Bytes())
		if plain, err := url.QueryUnescape(r.RequestURI); err == nil {
			h.add([]byte(plain))
		}
		if body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest)); err == nil {
			h.add(body)
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		publish(r)
		_, _ = io.WriteString(w, "welcome\n")
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/reflect/{form}", func(w http.ResponseWriter, r *http.Request) {
		publish(r)
		reflect(w, r.PathValue("form"), r.Header.Get("Authorization"))
	})
	return mux
}

// reflect answers with a text in a form.
func reflect(w http.ResponseWriter, form, text string) {
	token := strings.TrimPrefix(text, "Bearer ")
	switch form {
	case "header":
		w.Header().Set("X-You-Sent", text)
	case "cookie":
		http.SetCookie(w, &http.Cookie{Name: "session", Value: token})
	case "error":
		http.Error(w, "this key is not known: "+text, http.StatusInternalServerError)
	case "base64":
		_, _ = fmt.Fprintln(w, base64.StdEncoding.EncodeToString([]byte(text)))
	case "base64url":
		_, _ = fmt.Fprintln(w, base64.RawURLEncoding.EncodeToString([]byte("k"+text)))
	case "hex":
		_, _ = fmt.Fprintln(w, hex.EncodeToString([]byte(text)))
	case "json":
		_ = json.NewEncoder(w).Encode(map[string]string{"authorization": text}) // to a client that may have gone
	case "percent":
		_, _ = fmt.Fprintln(w, url.QueryEscape(text))
	case "reversed":
		b := []byte(text)
		slices.Reverse(b)
		_, _ = fmt.Fprintln(w, string(b))
	case "gzip":
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = fmt.Fprintln(z, text)
		_ = z.Close()
	case "slowly":
		for i := range len(text) {
			_, _ = io.WriteString(w, text[i:i+1])
			_ = http.NewResponseController(w).Flush()
		}
	case "large":
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20)+text+strings.Repeat("y", 1<<20))
	default:
		_, _ = fmt.Fprintln(w, "you sent", text)
	}
}
