package transcripts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/scan"
)

// Sighting is a value of the vault in somebody's history.
type Sighting struct {
	Secret  string `json:"secret"`  // its address, with the version
	Program string `json:"program"` // whose history it is
	Path    string `json:"path"`
	// Line counts from 1; 0 in a database, where Place says which row.
	Line  int    `json:"line,omitempty"`
	Place string `json:"place,omitempty"`
	Form  string `json:"form"` // in which encoding
	// Since is when it was written down: the time that the entry has, else the file's last change.
	Since time.Time `json:"since"`
	// Exact says that Since is the entry's own time.
	Exact bool `json:"exact"`
	// Session names the conversation: the file's name without its ending.
	Session string `json:"session"`
	// Who wrote it down, where that is known: the author of a commit.
	Who string `json:"who,omitempty"`
	// Times is how often the value is in the file.
	Times int `json:"times"`
}

// Search looks through places.
type Search struct {
	Finder *scan.Finder
	// Skipped is told of what could not be read. Optional; called by one goroutine at a time.
	Skipped func(path string, err error)
}

// Run looks through places and returns what it sees, one Sighting for each secret and file, the oldest first. What cannot be read is
// skipped; the error is ctx's.
func (s *Search) Run(ctx context.Context, places []Place) ([]Sighting, error) {
	jobs := make(chan job)
	var mu sync.Mutex
	var all []Sighting
	skip := func(path string, err error) {
		if s.Skipped != nil {
			mu.Lock()
			defer mu.Unlock()
			s.Skipped(path, err)
		}
	}
	var readers sync.WaitGroup
	for range max(1, min(runtime.GOMAXPROCS(0), 4)) {
		readers.Go(func() {
			for j := range jobs {
				found, err := s.file(ctx, j)
				if err != nil && ctx.Err() == nil {
					skip(j.path, err)
				}
				mu.Lock()
				all = append(all, found...)
				mu.Unlock()
			}
		})
	}
	seen := map[string]bool{}
	for _, p := range places {
		walk(ctx, p, skip, func(path string, info fs.FileInfo) {
			if seen[path] {
				return
			}
			seen[path] = true
			select {
			case jobs <- job{p.Program, path, info}:
			case <-ctx.Done():
			}
		})
	}
	close(jobs)
	readers.Wait()
	slices.SortFunc(all, func(a, b Sighting) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Path, b.Path), strings.Compare(a.Secret, b.Secret))
	})
	return all, ctx.Err()
}

// job is one file to look through.
type job struct {
	program, path string
	info          fs.FileInfo
}

// walk calls fn with the regular files of a place. Links are not followed: what they lead to is somebody else's.
func walk(ctx context.Context, p Place, skip func(string, error), fn func(string, fs.FileInfo)) {
	err := filepath.WalkDir(p.Path, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return fs.SkipAll
		}
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				skip(path, err)
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err == nil { // otherwise it is gone already
			fn(path, info)
		}
		return nil
	})
	if err != nil {
		skip(p.Path, err)
	}
}

// file looks through one file: as it is, decompressed if it is compressed, and cell by cell if it is a SQLite database, whose pages
// tear long cells apart.
func (s *Search) file(ctx context.Context, j job) ([]Sighting, error) {
	f, err := os.Open(j.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	t := newTally(j)
	head := make([]byte, 16)
	n, err := f.ReadAt(head, 0)
	if n == 0 && errors.Is(err, io.EOF) {
		return nil, nil // an empty file holds nothing
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if isSQLite(head[:n]) {
		if err := s.database(ctx, j.path, t); err != nil {
			return nil, fmt.Errorf("reading the database: %w", err)
		}
		return t.sightings(), nil
	}
	content, err := expand(f, head[:n])
	if err != nil {
		return nil, err
	}
	if err := s.stream(ctx, content, t); err != nil {
		return t.sightings(), err
	}
	return t.sightings(), nil
}

// tally gathers the finds in one file, one Sighting for each secret.
type tally struct {
	job  job
	by   map[string]*Sighting
	list []*Sighting
}

func newTally(j job) *tally { return &tally{job: j, by: map[string]*Sighting{}} }

func (t *tally) add(h scan.Hit, line int, place string, at time.Time) {
	g := t.by[h.Secret]
	if g == nil {
		name := filepath.Base(t.job.path)
		g = &Sighting{
			Secret: h.Secret, Program: t.job.program, Path: t.job.path, Line: line, Place: place, Form: h.Form,
			Session: strings.TrimSuffix(name, filepath.Ext(name)), Since: t.job.info.ModTime(),
		}
		t.by[h.Secret] = g
		t.list = append(t.list, g)
	}
	g.Times++
	if !at.IsZero() && (!g.Exact || at.Before(g.Since)) {
		g.Since, g.Exact, g.Line, g.Place = at, true, line, place
	}
}

func (t *tally) sightings() []Sighting {
	out := make([]Sighting, len(t.list))
	for i, g := range t.list {
		out[i] = *g
	}
	return out
}
