package metrics_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/metrics"
)

func TestSet(t *testing.T) {
	t.Parallel()
	s := &metrics.Set{}
	requests := s.Counters("requests_total", "Requests.", "operation", "status")
	times := s.Histograms("request_seconds", "How long they took.", "operation", "read", "update")
	s.Gauge("open", "Open ones.", func() float64 { return 2.5 })
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			requests.Add("read", "2xx")
			times["read"].Observe(3 * time.Millisecond)
		})
	}
	wait.Wait()
	requests.Add(`wr"ite`, "5xx")
	times["read"].Observe(time.Minute)
	var b strings.Builder
	if err := s.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# TYPE open gauge\nopen 2.5\n",
		"# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total{operation=\"read\",status=\"2xx\"} 10\n" +
			"requests_total{operation=\"wr\\\"ite\",status=\"5xx\"} 1\n",
		"request_seconds_bucket{operation=\"read\",le=\"0.0025\"} 0\nrequest_seconds_bucket{operation=\"read\",le=\"0.005\"} 10\n",
		"request_seconds_bucket{operation=\"read\",le=\"10\"} 10\nrequest_seconds_bucket{operation=\"read\",le=\"+Inf\"} 11\n" +
			"request_seconds_sum{operation=\"read\"} 60.03\nrequest_seconds_count{operation=\"read\"} 11\n",
		"request_seconds_count{operation=\"update\"} 0\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("missing:\n%s\nin:\n%s", want, &b)
		}
	}
}
