package keyspace

import (
	"fmt"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Keys returns the keys from on, in byte order, at most limit of them.
type Keys func(from string, limit int) ([]string, error)

const (
	firstBatch = 16
	maxBatch   = 1024
)

// List does what storage.Reader.List promises over keys. It reads a folder's first keys and leaps over the rest, so
// that it costs what it returns, not what lies below; the batches grow while there is nothing to leap over.
func List(prefix, after string, limit int, keys Keys) ([]string, error) {
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		return nil, fmt.Errorf("listing %q, which does not end in a slash: %w", clip(prefix), storage.ErrInvalidKey)
	}
	l := lister{prefix: prefix, after: after, limit: limit, from: Start(prefix, prefix+after)}
	if after == "" {
		l.from = prefix
	}
	for batch := firstBatch; ; {
		page, err := keys(l.from, batch)
		if err != nil {
			return nil, err
		}
		leapt, more := l.take(page)
		if !more || len(page) < batch {
			return l.names, nil
		}
		if leapt {
			batch = firstBatch
		} else {
			batch = min(2*batch, maxBatch)
		}
	}
}

// lister gathers names; from is where the next page of keys starts.
type lister struct {
	prefix, after string
	limit         int
	from          string
	names         []string
}

// take uses up a page. It stops early when the rest of a folder lies ahead, which it leaps over; more is false when
// all names are found.
func (l *lister) take(page []string) (leapt, more bool) {
	for i, key := range page {
		rest, ok := strings.CutPrefix(key, l.prefix)
		if !ok {
			return false, false
		}
		name, _, folder := strings.Cut(rest, "/")
		if folder {
			name += "/"
		}
		if name > l.after && !l.has(name) {
			l.names = append(l.names, name)
			if len(l.names) == l.limit {
				return false, false
			}
		}
		l.from = key + "\x00"
		if last := i == len(page)-1; folder && last {
			return l.leap(name)
		}
	}
	return false, true
}

func (l *lister) has(name string) bool {
	return len(l.names) > 0 && l.names[len(l.names)-1] == name
}

func (l *lister) leap(folder string) (leapt, more bool) {
	end, ok := End(l.prefix + folder)
	l.from = end
	return true, ok
}
