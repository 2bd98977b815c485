package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// randomText is text that does not compress.
func randomText(n int) []byte {
	b := make([]byte, n*3/4)
	_, _ = rand.Read(b)
	return base64.StdEncoding.AppendEncode(nil, b)
}

// echo is a server that answers each message with itself, in the way that the path says.
func echo(t testing.TB) string {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(8 << 20)
		for {
			kind, message, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if string(message) == "whoami" {
				message = []byte(r.Header.Get("Authorization"))
			}
			w, err := c.Writer(r.Context(), kind)
			if err != nil {
				return
			}
			half := len(message) / 2 // in two fragments
			_, _ = w.Write(message[:half])
			_, _ = w.Write(message[half:])
			_ = w.Close()
		}
	})
	return port(t, s)
}

func dial(t testing.TB, b *bench, address string, fields ...string) *websocket.Conn {
	t.Helper()
	h := http.Header{}
	for i := 0; i+1 < len(fields); i += 2 {
		h.Set(fields[i], fields[i+1])
	}
	c, answer, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPClient: b.client(false), HTTPHeader: h, CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		t.Fatal(err)
	}
	if e := answer.Header.Get("Sec-Websocket-Extensions"); e != "" {
		t.Errorf("messages are compressed: %q", e)
	}
	c.SetReadLimit(8 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	addr := echo(t)
	b := newBench(t, options{})
	c := dial(t, b, "wss://"+host+":"+addr+"/", "Authorization", "Bearer "+b.holder("TOKEN"))
	say := func(message string) string {
		t.Helper()
		if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		_, answer, err := c.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	// The server has the value and sends it back in two fragments.
	if got, want := say("whoami"), "Bearer "+b.holder("TOKEN"); got != want {
		t.Errorf("the program reads %q; want %q", got, want)
	}
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		message := string(randomText(n*4/3 + 4)[:n])
		if got := say(message); got != message {
			t.Errorf("a message of %d bytes comes back with %d", n, len(got))
		}
	}
	if err := c.Ping(closingRead(t, c)); err != nil {
		t.Errorf("ping: %v", err)
	}
}

// closingRead reads in the background, as a ping needs.
func closingRead(t testing.TB, c *websocket.Conn) context.Context {
	return c.CloseRead(t.Context())
}

// A placeholder in a message ends the connection before it leaves, unless a rule permits the body.
func TestWebSocket_Placeholder(t *testing.T) {
	t.Parallel()
	addr := echo(t)
	b := newBench(t, options{})
	c := dial(t, b, "wss://"+host+":"+addr+"/")
	if err := c.Write(t.Context(), websocket.MessageText, []byte("take "+b.holder("TOKEN"))); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := c.Read(t.Context()); err == nil {
		t.Errorf("it was answered with %q", answer)
	}
	if lines := b.journal.lines(); len(lines) != 1 || lines[0] != "TOKEN in body: GET /: refused: TOKEN may not stand in body" {
		t.Errorf("recorded %q", lines)
	}
	open := newBench(t, options{rules: map[string][]grant.Rule{"TOKEN": {{Hosts: []string{host}, In: []string{"body"}}}}, secrets: map[string]string{"TOKEN": "short-pw"}})
	c = dial(t, open, "wss://"+host+":"+addr+"/")
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"t":"`+open.holder("TOKEN")+`"}`)); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := c.Read(t.Context()); err != nil || string(answer) != `{"t":"********"}` && string(answer) != `{"t":"[redacted:TOKEN]"}` {
		t.Errorf("answered with %q, %v", answer, err)
	}
}

// raw sends bytes within a terminated connection and returns the status line of the answer.
func raw(t testing.TB, b *bench, address, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", b.url.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	login := base64.StdEncoding.EncodeToString([]byte(b.url.User.String()))
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\nProxy-Authorization: Basic %s\r\n\r\n", address, address, login)
	r := bufio.NewReader(c)
	answer, err := http.ReadResponse(r, &http.Request{Method: "CONNECT"})
	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("CONNECT: %v", err)
	}
	secure := tls.Client(c, &tls.Config{RootCAs: b.roots(), ServerName: host, NextProtos: []string{"http/1.1"}})
	if _, err := io.WriteString(secure, text); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(secure).ReadString('\n')
	if err != nil {
		t.Fatalf("reading the answer to %q: %v", text, err)
	}
	return strings.TrimSpace(line)
}

// Requests that two servers could read in two ways are refused; the plain ones beside them are not.
func TestStrict(t *testing.T) {
	t.Parallel()
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	b := newBench(t, options{})
	address := host + ":" + port(t, s)
	head := "Host: " + address + "\r\n"
	for _, c := range []struct {
		name, text string
		fine       bool
	}{
		{"plain", "GET / HTTP/1.1\r\n" + head + "\r\n", true},
		{"length", "POST / HTTP/1.1\r\n" + head + "Content-Length: 3\r\n\r\nabc", true},
		{"chunks", "POST / HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", true},
		{"both", "POST / HTTP/1.1\r\n" + head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
		{"two lengths", "POST / HTTP/1.1\r\n" + head + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", false},
		{"list of lengths", "POST / HTTP/1.1\r\n" + head + "Content-Length: 3, 3\r\n\r\nabc", false},
		{"signed length", "POST / HTTP/1.1\r\n" + head + "Content-Length: +3\r\n\r\nabc", false},
		{"other coding", "POST / HTTP/1.1\r\n" + head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", false},
		{"folded", "GET / HTTP/1.1\r\n" + head + "X: a\r\n b\r\n\r\n", false},
		{"space before the colon", "GET / HTTP/1.1\r\n" + head + "X : a\r\n\r\n", false},
		{"NUL", "GET / HTTP/1.1\r\n" + head + "X: a\x00b\r\n\r\n", false},
		{"CR alone", "GET / HTTP/1.1\r\n" + head + "X: a\rb\r\n\r\n", false},
		{"LF alone", "GET / HTTP/1.1\n" + head + "\r\n", false},
		{"two hosts", "GET / HTTP/1.1\r\n" + head + head + "\r\n", false},
		{"no host", "GET / HTTP/1.1\r\n\r\n", false},
		{"space in the address", "GET /a b HTTP/1.1\r\n" + head + "\r\n", false},
		{"HTTP/1.0 in chunks", "POST / HTTP/1.0\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
		{"upgrade with a body", "POST / HTTP/1.1\r\n" + head + "Upgrade: x\r\nConnection: upgrade\r\nContent-Length: 3\r\n\r\nabc", false},
		{"long head", "GET / HTTP/1.1\r\n" + head + "X: " + strings.Repeat("a", 200<<10) + "\r\n\r\n", false},
	} {
		line := raw(t, b, address, c.text)
		if fine := strings.HasPrefix(line, "HTTP/1.1 200"); fine != c.fine || !c.fine && !strings.HasPrefix(line, "HTTP/1.1 400") {
			t.Errorf("%s: %q", c.name, line)
		}
	}
}

// Bodies of every kind arrive as they were sent, in both directions and versions.
func TestProxy_Bodies(t *testing.T) {
	t.Parallel()
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		if r.ContentLength >= 0 {
			w.Header().Set("Content-Length", fmt.Sprint(r.ContentLength))
		}
		_, _ = io.Copy(w, r.Body)
	})
	b := newBench(t, options{})
	for _, h2 := range []bool{false, true} {
		client := b.client(h2)
		for _, n := range []int{1, 511, 4096, 65535, 1 << 20, 1<<20 + 1, 5 << 20} {
			for _, chunked := range []bool{false, true} {
				body := randomText(n*4/3 + 4)[:n]
				r := request(t, "POST", "https://"+host+":"+port(t, s)+"/", "")
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(n)
				if chunked {
					r.ContentLength = -1
				}
				if _, got := b.send(client, r); got != string(body) {
					t.Errorf("%d bytes, chunked %v, h2 %v: %d come back", n, chunked, h2, len(got))
				}
			}
		}
	}
}

// Many requests at once over one connection.
func TestProxy_Multiplexes(t *testing.T) {
	t.Parallel()
	release := make(chan bool)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		release <- true
		_, _ = io.WriteString(w, r.URL.Path)
	})
	b := newBench(t, options{})
	client := b.client(true)
	results := make(chan error)
	const n = 40
	for i := range n {
		go func() {
			u := url.URL{Scheme: "https", Host: host + ":" + port(t, s), Path: fmt.Sprintf("/%d", i)}
			answer, err := client.Get(u.String())
			if err == nil {
				var body []byte
				body, err = io.ReadAll(answer.Body)
				answer.Body.Close()
				if string(body) != u.Path || answer.ProtoMajor != 2 {
					err = fmt.Errorf("%s: %q over %s", u.Path, body, answer.Proto)
				}
			}
			results <- err
		}()
	}
	for range n { // all are under way before any is answered
		<-release
	}
	for range n {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// Types that begin like gRPC's and are something else pass as any body does; trailers of requests arrive, without placeholders.
func TestProxy_RequestTrailers(t *testing.T) {
	t.Parallel()
	trailers := make(chan string, 8)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		trailers <- r.Trailer.Get("X-Sum")
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		_, _ = w.Write(body)
	})
	b := newBench(t, options{})
	for _, h2 := range []bool{false, true} {
		for _, sum := range []string{"12", b.holder("TOKEN")} {
			r := request(t, "POST", "https://"+host+":"+port(t, s)+"/", "AAAAAAdhIGJvZHk=", "Content-Type", "application/grpc-web-text")
			r.ContentLength, r.Trailer = -1, http.Header{"X-Sum": {sum}}
			answer, err := b.client(h2).Do(r)
			if sum != "12" {
				if err == nil {
					answer.Body.Close()
				}
				if err == nil && answer.StatusCode != http.StatusForbidden || len(trailers) > 0 {
					t.Errorf("h2 %v: a placeholder in a trailer arrived", h2)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if got := <-trailers; err != nil || string(body) != "AAAAAAdhIGJvZHk=" || got != "12" {
				t.Errorf("h2 %v: %q, trailer %q, %v", h2, body, got, err)
			}
		}
	}
}
