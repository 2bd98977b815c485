package proxy_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/ArcadeLabsInc/zvault/internal/grant"
)

// A value that the program has from elsewhere, and a canary in any form, reach no server, whatever the rules permit, and raise
// an alarm.
func TestProxy_Alarms(t *testing.T) {
	t.Parallel()
	addr, got := recorder(t)
	all := []grant.Rule{{Hosts: []string{host}, In: []string{"header:authorization", "query:key", "body"}}}
	const bait = "AKIAZZZZYYYYXXXXWWWW"
	b := newBench(t, options{
		secrets: map[string]string{"TOKEN": token, "BAIT": bait}, canaries: []string{"BAIT"},
		rules: map[string][]grant.Rule{"TOKEN": all, "BAIT": all},
	})
	client, base := b.client(true), "https://"+host+":"+addr
	stolen := "its value itself stands there"
	for _, c := range []struct {
		name, path, body string
		fields           []string
		secret, why      string
	}{
		{"header", "/", "", []string{"Authorization", "Bearer " + token}, "TOKEN", stolen},
		{"login", "/", "", []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+token))}, "TOKEN", stolen},
		{"query", "/?key=" + token, "", nil, "TOKEN", stolen},
		{"body", "/", `{"x":"` + token + `"}`, nil, "TOKEN", stolen},
		{"encoded", "/", base64.StdEncoding.EncodeToString([]byte("x" + token)), nil, "TOKEN", stolen},
		{"large body", "/", strings.Repeat("x", 2<<20) + token, nil, "TOKEN", stolen},
		{"canary", "/", "", []string{"Authorization", "Bearer " + bait}, "BAIT", "it is a canary"},
		{"placeholder of a canary", "/", "", []string{"Authorization", "Bearer " + b.holder("BAIT")}, "BAIT", "it is a canary"},
		{"the same in a body", "/", b.holder("BAIT"), nil, "BAIT", "it is a canary"},
	} {
		before := len(b.journal.lines())
		answer, _ := b.send(client, request(t, "POST", base+c.path, c.body, c.fields...))
		if answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", c.name, answer.StatusCode)
		}
		b.journal.mu.Lock()
		events := b.journal.events[before:]
		b.journal.mu.Unlock()
		if len(events) != 1 || !events[0].Alarm || events[0].Secret != c.secret || !strings.HasPrefix(events[0].Refused, c.why) {
			t.Errorf("%s: recorded %+v", c.name, events)
		}
	}
	if n := len(got); n > 0 {
		t.Errorf("%d requests arrived", n)
	}
	answer, _ := b.send(client, request(t, "GET", base+"/", "", "Authorization", "Bearer "+b.holder("TOKEN")))
	if answer.StatusCode != http.StatusOK {
		t.Errorf("a placeholder where it is permitted: status %d", answer.StatusCode)
	}
	for _, e := range b.journal.events[len(b.journal.events)-1:] {
		if e.Alarm || e.Refused != "" {
			t.Errorf("recorded %+v", e)
		}
	}
}

func TestProxy_AlarmsInWebSocket(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 1)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		if _, message, err := c.Read(r.Context()); err == nil {
			heard <- string(message)
		}
		_ = c.CloseNow()
	})
	b := newBench(t, options{})
	c, answer, err := websocket.Dial(t.Context(), "wss://"+host+":"+port(t, s)+"/", &websocket.DialOptions{HTTPClient: b.client(false)})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Body != nil {
		_ = answer.Body.Close()
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte("take "+token)); err == nil {
		_, _, err = c.Read(t.Context())
		if err == nil {
			t.Error("the connection goes on")
		}
	}
	select {
	case m := <-heard:
		t.Errorf("the server heard %d bytes", len(m))
	default:
	}
	b.journal.mu.Lock()
	defer b.journal.mu.Unlock()
	if n := len(b.journal.events); n != 1 || !b.journal.events[0].Alarm {
		t.Errorf("recorded %+v", b.journal.events)
	}
}
