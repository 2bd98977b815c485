package vault

import (
	"runtime"
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/metrics"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// measures are what the core counts. The names are Vault's where it has the same.
type measures struct {
	metrics.Set
	requests *metrics.Counters
	times    map[string]*metrics.Histogram
	refused  *metrics.Counters
}

func newMeasures(c *Core) *measures {
	m := &measures{}
	m.requests = m.Counters("vault_core_requests_total", "Requests by operation and class of the answer's status.", "operation", "status")
	m.times = m.Histograms("vault_core_handle_request_seconds", "How long requests took, from the gates to the answer.", "operation",
		string(logical.Create), string(logical.Read), string(logical.Update), string(logical.Patch), string(logical.Delete), string(logical.List),
		string(logical.Scan), string(logical.Help))
	m.refused = m.Counters("vault_audit_refused_total", "Requests that were refused because no audit device took the entry.")
	m.Gauge("vault_core_unsealed", "1 if the vault is unsealed.", func() float64 { return one(!c.Sealed()) })
	m.Gauge("vault_core_in_flight_requests", "Requests that are being served.", func() float64 { return float64(c.inflight.count()) })
	m.Gauge("vault_runtime_num_goroutines", "Goroutines.", func() float64 { return float64(runtime.NumGoroutine()) })
	m.Gauge("vault_runtime_alloc_bytes", "Bytes of live and not yet collected objects.", func() float64 {
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return float64(s.HeapAlloc)
	})
	m.Gauge("vault_cache_bytes", "Bytes that decoded entries take in memory, about.", func() float64 { return float64(c.store.CacheSize()) })
	return m
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// observe counts a request that was answered.
func (m *measures) observe(op logical.Operation, status int, took time.Duration) {
	m.requests.Add(string(op), strconv.Itoa(status/100)+"xx")
	if h := m.times[string(op)]; h != nil {
		h.Observe(took)
	}
}

// Metrics are what the core counts.
func (c *Core) Metrics() *metrics.Set { return &c.measures.Set }
