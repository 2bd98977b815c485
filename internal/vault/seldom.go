package vault

import (
	"sync/atomic"
	"time"
)

// seldom says yes at most once in a second.
type seldom struct{ last atomic.Int64 }

func (s *seldom) now(t time.Time) bool {
	last := s.last.Load()
	return t.UnixNano()-last >= int64(time.Second) && s.last.CompareAndSwap(last, t.UnixNano())
}
