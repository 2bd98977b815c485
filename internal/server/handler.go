package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ArcadeLabsInc/zvault/internal/vault"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

const (
	maxBody  = 32 << 20 // bytes, as in Vault
	apiPath  = "/v1/"
	jsonType = "application/json"
)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Cache-Control"], h["X-Content-Type-Options"] = noStore, noSniff
	path, ok := strings.CutPrefix(r.URL.Path, apiPath)
	if !ok {
		s.outside(w, r)
		return
	}
	if s.crossOrigin(w, r) || s.unsealed(w, r, path) {
		return
	}
	call, err := s.parse(w, r, path)
	if err != nil {
		fail(w, err)
		return
	}
	write(w, s.core.Handle(r.Context(), call))
}

var (
	noStore  = []string{"no-store"}
	noSniff  = []string{"nosniff"}
	typeJSON = []string{jsonType}
)

func write(w http.ResponseWriter, reply *vault.Reply) {
	if reply.Stream != nil {
		stream(w, reply)
		return
	}
	h := w.Header()
	h["Content-Type"] = typeJSON
	if reply.ContentType != "" {
		h.Set("Content-Type", reply.ContentType)
	}
	for k, v := range reply.Header {
		h.Set(k, v)
	}
	if reply.Body != nil {
		h["Content-Length"] = []string{strconv.Itoa(len(reply.Body))}
	}
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body) // nobody is there to be told
}

// stream sends a body that may be large, to whom may be slow. When it breaks off the connection is closed without an end, which
// is how the client knows.
func stream(w http.ResponseWriter, reply *vault.Reply) {
	defer func() { _ = reply.Stream.Close() }()                     // it was only read
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // where there is none, none need be lifted
	h := w.Header()
	h.Set("Content-Type", reply.ContentType)
	for k, v := range reply.Header {
		h.Set(k, v)
	}
	w.WriteHeader(reply.Status)
	if _, err := io.Copy(w, reply.Stream); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// streams reports whether a path takes a body that is no JSON.
func streams(r *http.Request, path string) bool {
	return (r.Method == http.MethodPost || r.Method == http.MethodPut) && strings.HasPrefix(path, "sys/storage/raft/snapshot")
}

// fail answers with an error of Vault's shape.
func fail(w http.ResponseWriter, err error) {
	e := &logical.Error{}
	if !errors.As(err, &e) {
		e = logical.Fail(http.StatusInternalServerError, "internal error")
	}
	texts := e.Errors
	if texts == nil {
		texts = []string{}
	}
	respond(w, e.Status, map[string]any{"errors": texts})
}

// respond answers with JSON.
func respond(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"errors":["internal error"]}`)
	}
	write(w, &vault.Reply{Status: status, Body: append(body, '\n')})
}

// parse makes a call of a request.
func (s *Server) parse(w http.ResponseWriter, r *http.Request, path string) (*vault.Call, error) {
	if r.Header.Get("X-Vault-Request") == "" && s.options.RequireRequestHeader {
		return nil, logical.Fail(http.StatusPreconditionFailed, "missing \"X-Vault-Request\" header")
	}
	var op logical.Operation
	var data map[string]any
	var body io.Reader
	var err error
	if streams(r, path) {
		op, body = logical.Update, r.Body
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // where there is none, none need be lifted
	} else if op, data, err = s.operation(w, r); err != nil {
		return nil, err
	}
	if (op == logical.List || op == logical.Scan) && !strings.HasSuffix(path, "/") && path != "" {
		path += "/"
	}
	wrap, err := wrapTTL(r)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, err
	}
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		remote = netip.AddrPort{} // a Unix socket
	}
	return &vault.Call{
		ID: id.String(), Operation: op, Path: path, Token: tokenOf(r), Data: data, Body: body, WrapTTL: wrap, Header: r.Header.Get, Remote: remote,
		Time: s.clock(), Method: r.Method,
	}, nil
}

// operation reads what a request wants, and what with.
func (s *Server) operation(w http.ResponseWriter, r *http.Request) (logical.Operation, map[string]any, error) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if r.URL.RawQuery == "" {
			return logical.Read, nil, nil
		}
		q := r.URL.Query()
		op := logical.Read
		switch {
		case flag(q.Get("help")):
			op = logical.Help
		case flag(q.Get("list")):
			op = logical.List
		case flag(q.Get("scan")):
			op = logical.Scan
		}
		return op, fromQuery(q), nil
	case "LIST":
		return logical.List, fromQuery(r.URL.Query()), nil
	case "SCAN":
		return logical.Scan, fromQuery(r.URL.Query()), nil
	case http.MethodDelete:
		return logical.Delete, fromQuery(r.URL.Query()), nil
	case http.MethodPost, http.MethodPut:
		data, err := readBody(w, r)
		return logical.Update, data, err
	case http.MethodPatch:
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/merge-patch+json" {
			return "", nil, logical.Fail(http.StatusUnsupportedMediaType,
				"PATCH requires Content-Type of application/merge-patch+json, provided %s", r.Header.Get("Content-Type"))
		}
		data, err := readBody(w, r)
		return logical.Patch, data, err
	}
	return "", nil, &logical.Error{Status: http.StatusMethodNotAllowed}
}

func flag(text string) bool {
	b, err := strconv.ParseBool(text)
	return err == nil && b
}

// fromQuery makes data of a query: one text, or a list where a name is given several times.
func fromQuery(q map[string][]string) map[string]any {
	if len(q) == 0 {
		return nil
	}
	data := make(map[string]any, len(q))
	for k, v := range q {
		switch {
		case k == "list" || k == "scan" || k == "help":
		case len(v) == 1:
			data[k] = v[0]
		default:
			many := make([]any, len(v))
			for i := range v {
				many[i] = v[i]
			}
			data[k] = many
		}
	}
	return data
}

func readBody(w http.ResponseWriter, r *http.Request) (map[string]any, error) {
	if r.ContentLength == 0 {
		return nil, nil
	}
	if r.ContentLength > maxBody {
		return nil, logical.Fail(http.StatusRequestEntityTooLarge, "request body too large")
	}
	var raw []byte
	var err error
	if r.ContentLength > 0 {
		raw = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, raw)
	} else {
		raw, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, logical.Fail(http.StatusRequestEntityTooLarge, "request body too large")
	}
	if err != nil {
		return nil, logical.Invalid("reading the request body failed")
	}
	if len(raw) == 0 || string(bytes.TrimSpace(raw)) == "null" { // some clients send null for nothing
		return nil, nil
	}
	data, err := parseObject(raw)
	if err != nil {
		return nil, logical.Invalid("%s", err)
	}
	return data, nil
}

func wrapTTL(r *http.Request) (time.Duration, error) {
	text := r.Header.Get("X-Vault-Wrap-TTL")
	if text == "" {
		return 0, nil
	}
	ttl, ok := logical.ParseDuration(text)
	if !ok {
		return 0, logical.Invalid("error parsing X-Vault-Wrap-TTL")
	}
	if ttl < 0 {
		return 0, logical.Invalid("requested wrap ttl cannot be negative")
	}
	return ttl, nil
}

func tokenOf(r *http.Request) string {
	if t := r.Header.Get("X-Vault-Token"); t != "" {
		return t
	}
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return t
	}
	return ""
}
