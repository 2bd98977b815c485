// Package metrics counts and times what a server does, and writes that down in Prometheus' text format (version 0.0.4).
//
// Start with a [Set]: make counters, gauges and histograms of it once, count with them from any goroutine, and write it with
// Set.WriteText. No label may name a secret: what is counted is operations and outcomes.
//
// The library that Prometheus offers for this adds more than a millisecond to the start of every command that is linked with
// it, as it builds descriptions of its own messages; that is why this is here.
package metrics

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ContentType is that of the text format.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Set is a set of metrics. It is safe for concurrent use.
type Set struct {
	mu       sync.Mutex
	families []*family
}

// family is all metrics of one name.
type family struct {
	name, kind, help string
	write            func(w *strings.Builder, name string)
}

func (s *Set) add(f *family) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.families = append(s.families, f)
}

// WriteText writes all metrics, sorted by name.
func (s *Set) WriteText(w io.Writer) error {
	s.mu.Lock()
	families := slices.Clone(s.families)
	s.mu.Unlock()
	slices.SortFunc(families, func(a, b *family) int { return cmp.Compare(a.name, b.name) })
	var b strings.Builder
	for _, f := range families {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		f.write(&b, f.name)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Counters are counters that differ in the values of their labels.
type Counters struct {
	labels []string
	values sync.Map // by rendered labels: *atomic.Uint64
}

// Counters makes counters with the given labels.
func (s *Set) Counters(name, help string, labels ...string) *Counters {
	c := &Counters{labels: labels}
	s.add(&family{name, "counter", help, c.write})
	return c
}

// Add adds one to the counter with these values of the labels, which are few and known beforehand: each stays for ever.
func (c *Counters) Add(values ...string) {
	key := render(c.labels, values)
	v, ok := c.values.Load(key)
	if !ok {
		v, _ = c.values.LoadOrStore(key, new(atomic.Uint64))
	}
	if n, ok := v.(*atomic.Uint64); ok { // it is
		n.Add(1)
	}
}

func (c *Counters) write(b *strings.Builder, name string) {
	lines := map[string]uint64{}
	c.values.Range(func(k, v any) bool {
		text, isText := k.(string)
		n, isCount := v.(*atomic.Uint64)
		if isText && isCount { // they are
			lines[text] = n.Load()
		}
		return true
	})
	keys := make([]string, 0, len(lines))
	for k := range lines {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(b, "%s%s %d\n", name, k, lines[k])
	}
}

// render is labels and their values as the format has them: {a="x",b="y"}.
func render(labels, values []string) string {
	if len(labels) == 0 {
		return ""
	}
	b := []byte{'{'}
	for i, l := range labels {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, l...)
		b = append(b, `="`...)
		b = append(b, escaper.Replace(values[i])...)
		b = append(b, '"')
	}
	return string(append(b, '}'))
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// Gauge adds a value that is asked for when the metrics are written.
func (s *Set) Gauge(name, help string, value func() float64) {
	s.add(&family{name, "gauge", help, func(b *strings.Builder, name string) {
		fmt.Fprintf(b, "%s %s\n", name, number(value()))
	}})
}

func number(f float64) string {
	if math.IsInf(f, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// buckets are the upper bounds of a Histogram, in seconds.
var buckets = [...]float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// Histogram counts durations by how long they were.
type Histogram struct {
	counts [len(buckets) + 1]atomic.Uint64
	nanos  atomic.Int64
}

// Histograms makes one histogram for each of the values of a label.
func (s *Set) Histograms(name, help, label string, values ...string) map[string]*Histogram {
	all := make(map[string]*Histogram, len(values))
	for _, v := range values {
		all[v] = &Histogram{}
	}
	s.add(&family{name, "histogram", help, func(b *strings.Builder, name string) {
		for _, v := range values {
			all[v].write(b, name, label+`="`+escaper.Replace(v)+`"`)
		}
	}})
	return all
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	i, seconds := 0, d.Seconds()
	for i < len(buckets) && seconds > buckets[i] {
		i++
	}
	h.counts[i].Add(1)
	h.nanos.Add(int64(d))
}

func (h *Histogram) write(b *strings.Builder, name, label string) {
	var total uint64
	for i := range h.counts {
		total += h.counts[i].Load()
		bound := math.Inf(1)
		if i < len(buckets) {
			bound = buckets[i]
		}
		fmt.Fprintf(b, "%s_bucket{%s,le=\"%s\"} %d\n", name, label, number(bound), total)
	}
	fmt.Fprintf(b, "%s_sum{%s} %s\n%s_count{%s} %d\n", name, label, number(time.Duration(h.nanos.Load()).Seconds()), name, label, total)
}
