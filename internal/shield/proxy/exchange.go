package proxy

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/egress"
)

// visit is one request on its way.
type visit struct {
	p  *Proxy
	w  http.ResponseWriter
	in *http.Request
	to target
	// upgrade says that another protocol is asked for.
	upgrade bool
	window  *window // not nil: the answer is to be cut to a range
	empty   bool    // the answer has neither body nor trailers
	resign  *resigning

	mu      sync.Mutex
	refused *Refusal // what stopped the body
}

type visitKey struct{}

// exchange passes one request on and answers it.
func (p *Proxy) exchange(w http.ResponseWriter, r *http.Request, to target) {
	v := &visit{p: p, w: w, in: r, to: to}
	v.upgrade = r.ProtoMajor == 1 && r.Header.Get("Upgrade") != ""
	if p.c.Strict && !p.c.Policy.Names(to.host, to.port) {
		v.fail(p.refuse(r.Context(), v.event("", "", "no rule names this host"), ""))
		return
	}
	if r.ProtoMajor == 1 {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			problem(w, http.StatusInternalServerError, "the connection cannot answer while it reads", nil)
			return
		}
	}
	p.reverse.ServeHTTP(unhurried{ResponseWriter: w, v: v}, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
}

// event is what is recorded of this request.
func (v *visit) event(secret, place, refused string) Event {
	return Event{
		Secret: secret, Place: place, Method: v.in.Method, Scheme: v.to.scheme, Host: v.to.host, Port: v.to.port,
		Path: cut(v.in.URL.EscapedPath()), Refused: refused,
	}
}

// cut bounds a path for the log.
func cut(path string) string {
	const most = 200
	if len(path) > most {
		return path[:most] + "…"
	}
	return path
}

// stop keeps why the body was not sent.
func (v *visit) stop(r *Refusal) *Refusal {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.refused == nil {
		v.refused = r
	}
	return r
}

func (v *visit) stopped() *Refusal {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.refused
}

// fail answers a request that could not be done.
func (v *visit) fail(err error) {
	if v.upgrade {
		v.w.Header().Set("Connection", "close") // what follows was not checked
	}
	var refused *Refusal
	switch {
	case errors.As(err, &refused):
		refused.write(v.w)
	case v.in.Context().Err() != nil:
		panic(http.ErrAbortHandler) // nobody is there to be answered
	case errors.Is(err, egress.ErrRefused):
		problem(v.w, http.StatusForbidden, err.Error(), nil)
	default:
		problem(v.w, http.StatusBadGateway, v.p.scrub.String(err.Error()), nil)
	}
}

// failed is how the reverse proxy reports errors.
func failed(w http.ResponseWriter, r *http.Request, err error) {
	v, ok := r.Context().Value(visitKey{}).(*visit)
	if !ok {
		problem(w, http.StatusBadGateway, "the request leads nowhere", nil)
		return
	}
	v.fail(err)
}

// rewrite makes the request that is sent: as it came, without what concerns this connection only.
func rewrite(pr *httputil.ProxyRequest) {
	v, ok := pr.In.Context().Value(visitKey{}).(*visit)
	if !ok {
		return // RoundTrip refuses it
	}
	out := pr.Out
	out.URL.Scheme, out.URL.Host = v.to.scheme, v.to.address()
	out.URL.RawQuery, out.URL.ForceQuery = pr.In.URL.RawQuery, pr.In.URL.ForceQuery
	out.Host = pr.In.Host
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values := pr.In.Header[name]; values != nil {
			out.Header[name] = values // the program's own business
		}
	}
	if v.upgrade && out.Header.Get("Upgrade") == "" {
		v.upgrade = false
	}
}

// unhurried sends the head of an answer that is nothing but a head together with its end. gRPC takes its status from such a head
// only if the stream ends with it.
type unhurried struct {
	http.ResponseWriter
	v *visit
}

// FlushError implements what http.ResponseController looks for.
func (w unhurried) FlushError() error {
	if w.v.empty {
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach everything else.
func (w unhurried) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// roundTripper sends requests, with values, and masks answers.
type roundTripper struct{ p *Proxy }

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(out *http.Request) (*http.Response, error) {
	v, ok := out.Context().Value(visitKey{}).(*visit)
	if !ok {
		return nil, errors.New("the request leads nowhere")
	}
	if err := v.prepare(out); err != nil {
		return nil, err
	}
	v.adapt(out)
	if v.resign != nil {
		if err := v.resign.sign(v, out); err != nil {
			return nil, err
		}
	}
	ctx := httptrace.WithClientTrace(out.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			v.p.scrubHeader(http.Header(h))
			return nil
		},
	})
	transport := t.p.transport
	if v.upgrade {
		transport = t.p.upgrade
	}
	answer, err := transport.RoundTrip(out.WithContext(ctx))
	if refused := v.stopped(); refused != nil {
		if err == nil {
			_ = answer.Body.Close() // the answer to a request that was cut is none
		}
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	if v.upgrade && answer.StatusCode != http.StatusSwitchingProtocols {
		v.w.Header().Set("Connection", "close") // what follows was not checked
	}
	if err := v.clean(answer); err != nil {
		_ = answer.Body.Close() // the error says more
		return nil, err
	}
	return answer, nil
}

// adapt asks the server for what can be looked through.
func (v *visit) adapt(out *http.Request) {
	h := out.Header
	limitCodings(h, "Accept-Encoding")
	limitCodings(h, "Grpc-Accept-Encoding")
	h.Del("Sec-Websocket-Extensions") // messages are not to be compressed
	v.widenRange(h)
}
