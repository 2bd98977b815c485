package sys

import (
	"bytes"
	"context"

	"github.com/ArcadeLabsInc/zvault/internal/metrics"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

func (s *System) metricsRoutes() []*logical.Route {
	return []*logical.Route{{
		Pattern: "metrics", Synopsis: "What the server has counted, in Prometheus' text format.", Ops: ops{logical.Read: s.metrics},
		Fields: []logical.Field{{Name: "format", Type: logical.String, Help: "prometheus, which it always is."}},
	}}
}

func (s *System) metrics(_ context.Context, r *logical.Request) (*logical.Response, error) {
	if f := r.Data.String("format"); f != "" && f != "prometheus" {
		return nil, logical.Invalid("metric response format %q unknown: prometheus is the one there is", f)
	}
	var b bytes.Buffer
	if err := s.core.Metrics().WriteText(&b); err != nil {
		return nil, err
	}
	return &logical.Response{Raw: b.Bytes(), ContentType: metrics.ContentType}, nil
}
