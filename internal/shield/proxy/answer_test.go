package proxy_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
)

// encoders write bodies in the codings that servers use.
var encoders = map[string]func(io.Writer) io.WriteCloser{
	"identity": func(w io.Writer) io.WriteCloser { return nopCloser{w} },
	"gzip":     func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"br":       func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
	"zstd": func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			panic(err)
		}
		return z
	},
	"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"raw deflate": func(w io.Writer) io.WriteCloser {
		f, err := flate.NewWriter(w, 6)
		if err != nil {
			panic(err)
		}
		return f
	},
	"gzip, br": func(w io.Writer) io.WriteCloser { return chained{gzip.NewWriter(brotli.NewWriter(w)), nil} },
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// chained closes the writer behind too.
type chained struct {
	io.WriteCloser
	behind io.Closer
}

func (c chained) Close() error {
	if err := c.WriteCloser.Close(); err != nil || c.behind == nil {
		return err
	}
	return c.behind.Close()
}

func encode(coding string, body []byte) []byte {
	var b bytes.Buffer
	if coding == "gzip, br" { // gzip first, then br
		return encode("br", encode("gzip", body))
	}
	w := encoders[coding](&b)
	if _, err := w.Write(body); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// No form of a value reaches the program, whatever the coding and however the body is cut; all else is as it was.
func TestLaw_Answers(t *testing.T) {
	t.Parallel()
	var body []byte
	var coding string
	var cuts []int
	var length bool
	s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		if coding != "identity" {
			w.Header().Set("Content-Encoding", strings.TrimPrefix(coding, "raw "))
		}
		w.Header().Set("Etag", `"tag"`)
		out := encode(coding, body)
		if length {
			w.Header().Set("Content-Length", fmt.Sprint(len(out)))
		}
		for _, n := range cuts {
			n = min(n, len(out))
			_, _ = w.Write(out[:n])
			w.(http.Flusher).Flush()
			out = out[n:]
		}
		_, _ = w.Write(out)
	})
	values := []string{token, "pa ss/w\"ord&9", "-----BEGIN X-----\nbGluZSBvbmUgb2YgYSBrZXk=\nbGluZSB0d28gb2YgaXQgLi4u\n-----END X-----\n"}
	b := newBench(t, options{secrets: map[string]string{"A": values[0], "B": values[1], "C": values[2]}, rules: map[string][]grant.Rule{"A": {{Hosts: []string{host}}}}})
	var forms [][]byte
	for _, p := range b.set.Pieces() {
		redact.Forms(p.Value, func(_ redact.Encoding, form []byte) { forms = append(forms, bytes.Clone(form)) })
	}
	clients := map[bool]*http.Client{false: b.client(false), true: b.client(true)}
	names := []string{"identity", "gzip", "br", "zstd", "deflate", "raw deflate", "gzip, br"}
	rapid.Check(t, func(rt *rapid.T) {
		coding = rapid.SampledFrom(names).Draw(rt, "coding")
		length = rapid.Bool().Draw(rt, "length")
		cuts = rapid.SliceOfN(rapid.IntRange(1, 30), 0, 6).Draw(rt, "cuts")
		var text, want []byte
		for range rapid.IntRange(0, 6).Draw(rt, "pieces") {
			filler := rapid.SliceOfN(rapid.SampledFrom([]byte{1, 2, 0xfe}), 0, 50).Draw(rt, "filler")
			text, want = append(text, filler...), append(want, filler...)
			if rapid.Bool().Draw(rt, "value") {
				form := rapid.SampledFrom(forms).Draw(rt, "form")
				text, want = append(text, form...), append(want, bytes.Repeat([]byte{'?'}, len(form))...)
			}
		}
		body = text
		h2 := rapid.Bool().Draw(rt, "h2")
		r, err := http.NewRequest("GET", "https://"+host+":"+port(t, s)+"/", nil)
		if err != nil {
			rt.Fatal(err)
		}
		answer, err := clients[h2].Do(r)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || len(got) != len(want) {
			rt.Fatalf("%s: %d bytes of %d: %v", coding, len(got), len(want), err)
		}
		for i := range want {
			if want[i] != '?' && got[i] != want[i] {
				rt.Fatalf("%s: byte %d is %q; want %q", coding, i, got[i], want[i])
			}
		}
		for _, form := range forms {
			if bytes.Contains(got, form) {
				rt.Fatalf("%s: %q came through", coding, form)
			}
		}
		if e := answer.Header.Get("Content-Encoding"); e != "" {
			rt.Fatalf("the answer claims to be in %q", e)
		}
	})
}

// An answer in a coding that cannot be looked through is none.
func TestAnswer_UnknownCoding(t *testing.T) {
	t.Parallel()
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "rot13")
		w.Header().Set("X-Accepts", r.Header.Get("Accept-Encoding"))
		_, _ = io.WriteString(w, token)
	})
	b := newBench(t, options{})
	answer, body := b.send(b.client(false), request(t, "GET", "https://"+host+":"+port(t, s)+"/", "", "Accept-Encoding", "rot13, gzip;q=0.5, *"))
	if answer.StatusCode != http.StatusBadGateway || strings.Contains(body, token) {
		t.Errorf("status %d: %s", answer.StatusCode, body)
	}
}

// Each event of a stream arrives before the next is sent, also compressed, and also one that ends like a value begins.
func TestAnswer_EventsArriveAtOnce(t *testing.T) {
	t.Parallel()
	next := make(chan bool)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		var out io.Writer = w
		flush := func() { w.(http.Flusher).Flush() }
		if r.URL.Path == "/gzip" {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			out, flush = z, func() {
				_ = z.Flush()
				w.(http.Flusher).Flush()
			}
		}
		flush()
		for i := 0; <-next; i++ {
			fmt.Fprintf(out, "data: %d %s %s\n\n", i, token, token[:12])
			flush()
		}
	})
	b := newBench(t, options{})
	for _, path := range []string{"/", "/gzip"} {
		for _, h2 := range []bool{false, true} {
			answer, err := b.client(h2).Do(request(t, "GET", "https://"+host+":"+port(t, s)+path, ""))
			if err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(answer.Body)
			for i := range 5 {
				next <- true
				line, err := lines.ReadString('\n') // waits for ever if the event is held back
				if err != nil {
					t.Fatal(err)
				}
				if want := fmt.Sprintf("data: %d %s %s\n", i, b.holder("TOKEN"), token[:12]); line != want {
					t.Errorf("event %d is %q; want %q", i, line, want)
				}
				if _, err := lines.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			next <- false
			answer.Body.Close()
		}
	}
}

func TestAnswer_HeadAndEmpty(t *testing.T) {
	t.Parallel()
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"x"`)
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(204)
		case "/304":
			w.WriteHeader(304)
		default:
			w.Header().Set("Content-Length", "1234")
		}
	})
	b := newBench(t, options{})
	for _, h2 := range []bool{false, true} {
		for _, c := range []struct {
			method, path string
			status       int
			length       int64
		}{{"HEAD", "/", 200, 1234}, {"GET", "/204", 204, 0}, {"GET", "/304", 304, 0}} {
			answer, body := b.send(b.client(h2), request(t, c.method, "https://"+host+":"+port(t, s)+c.path, ""))
			if answer.StatusCode != c.status || body != "" || answer.ContentLength != c.length || answer.Header.Get("Etag") != `"x"` {
				t.Errorf("%s %s: %d, %q, length %d, %v", c.method, c.path, answer.StatusCode, body, answer.ContentLength, answer.Header)
			}
		}
	}
}

// Values in informational answers, fields and trailers are masked.
func TestAnswer_FieldsAndTrailers(t *testing.T) {
	t.Parallel()
	s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "<"+token+">")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("Location", "/?key="+token)
		w.Header().Set("Alt-Svc", `h3=":443"`)
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Sum", token)
		w.Header().Set(http.TrailerPrefix+"X-Late", hex.EncodeToString([]byte(token)))
	})
	b := newBench(t, options{})
	for _, h2 := range []bool{false, true} {
		var hints []string
		r := request(t, "GET", "https://"+host+":"+port(t, s)+"/", "")
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
			hints = append(hints, h.Get("Link"))
			return nil
		}}))
		answer, _ := b.send(b.client(h2), r)
		if len(hints) != 1 || hints[0] != "<"+b.holder("TOKEN")+">" {
			t.Errorf("informational: %q", hints)
		}
		if got := answer.Header.Get("Location"); got != "/?key="+b.holder("TOKEN") {
			t.Errorf("location %q", got)
		}
		if answer.Header.Get("Alt-Svc") != "" {
			t.Error("the program is told of a way past the proxy")
		}
		if got := answer.Trailer.Get("X-Sum"); got != b.holder("TOKEN") {
			t.Errorf("h2 %v: trailer %q", h2, got)
		}
		if got := answer.Trailer.Get("X-Late"); got == "" || strings.Contains(got, hex.EncodeToString([]byte(token))) {
			t.Errorf("h2 %v: trailer %q", h2, got)
		}
	}
}

// Ranges that cut a value in two give neither half away, and have the right bytes otherwise.
func TestAnswer_Ranges(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("0123456789", 50) + token + strings.Repeat("abcdefghij", 50)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "f.txt", time.Time{}, strings.NewReader(content))
	})
	b := newBench(t, options{})
	want := strings.Replace(content, token, b.holder("TOKEN"), 1)
	at := strings.Index(content, token)
	end := len(content) - 1
	for _, c := range []struct {
		field       string
		status      int
		first, last int
	}{
		{fmt.Sprintf("bytes=0-%d", at+10), 206, 0, at + 10},
		{fmt.Sprintf("bytes=%d-", at+11), 206, at + 11, end},
		{fmt.Sprintf("bytes=%d-%d", at+5, at+5), 206, at + 5, at + 5},
		{"bytes=0-0", 206, 0, 0},
		{fmt.Sprintf("bytes=-%d", 500+20), 206, end - 519, end},
		{"bytes=5-99999", 206, 5, end},
		{"bytes=-99999", 206, 0, end},
		{"bytes=0-1,5-6", 200, 0, end},
		{fmt.Sprintf("bytes=%d-", end+2), 416, 1, 0},
		{"bytes=99999-", 416, 1, 0},
	} {
		answer, body := b.send(b.client(true), request(t, "GET", "https://"+host+":"+port(t, s)+"/", "", "Range", c.field))
		if answer.StatusCode != c.status {
			t.Errorf("%s: status %d", c.field, answer.StatusCode)
			continue
		}
		if c.status == 416 {
			continue
		}
		if body != want[c.first:c.last+1] {
			t.Errorf("%s: %d bytes, %.40q; want %d", c.field, len(body), body, c.last+1-c.first)
		}
		if got, field := answer.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-%d/%d", c.first, c.last, len(content)); c.status == 206 && got != field {
			t.Errorf("%s: %q; want %q", c.field, got, field)
		}
	}
}

// A program that goes away ends the request to the server; a server that breaks off is seen to.
func TestAnswer_Breaks(t *testing.T) {
	t.Parallel()
	gone := make(chan error, 1)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
		w.(http.Flusher).Flush()
		if r.URL.Path == "/break" {
			panic(http.ErrAbortHandler)
		}
		<-r.Context().Done()
		gone <- r.Context().Err()
	})
	for _, h2 := range []bool{false, true} {
		b := newBench(t, options{})
		answer, err := b.client(h2).Do(request(t, "GET", "https://"+host+":"+port(t, s)+"/", ""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(answer.Body, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		<-gone // waits for ever if the server is not told
		answer, err = b.client(h2).Do(request(t, "GET", "https://"+host+":"+port(t, s)+"/break", ""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(answer.Body); err == nil {
			t.Error("a body that was cut looks whole")
		}
		answer.Body.Close()
	}
}

// Request bodies that are compressed are looked through, pass as they are without a placeholder, and with one only where it may be.
func TestRequest_Compressed(t *testing.T) {
	t.Parallel()
	sums := make(chan string, 4)
	s := upstream(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		sum := sha256.Sum256(body)
		sums <- r.Header.Get("Content-Encoding") + hex.EncodeToString(sum[:])
	})
	b := newBench(t, options{})
	for coding := range encoders {
		name := strings.TrimPrefix(coding, "raw ")
		clean := encode(coding, []byte(`{"a":"nothing of interest"}`))
		answer, _ := b.send(b.client(true), request(t, "POST", "https://"+host+":"+port(t, s)+"/", string(clean), "Content-Encoding", name))
		sum := sha256.Sum256(clean)
		if got := <-sums; answer.StatusCode != 200 || got != name+hex.EncodeToString(sum[:]) {
			t.Errorf("%s: status %d, arrived %s", coding, answer.StatusCode, got)
		}
		for _, size := range []int{0, 3 << 20} { // in one piece, and streamed
			noise := []byte(strings.Repeat("a", 20))
			if size > 0 {
				noise = randomText(size)
			}
			dirty := encode(coding, append(noise, b.holder("TOKEN")...))
			r := request(t, "POST", "https://"+host+":"+port(t, s)+"/", string(dirty), "Content-Encoding", name)
			answer, err := b.client(true).Do(r)
			if err == nil {
				answer.Body.Close()
				if answer.StatusCode != http.StatusForbidden {
					t.Errorf("%s, %d bytes: status %d", coding, size, answer.StatusCode)
				}
			}
		}
	}
	if len(sums) > 0 {
		t.Error("a request with a placeholder arrived whole")
	}
}
