package mcp

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
	"github.com/ArcadeLabsInc/zvault/internal/redact"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
)

// masker knows what must not leave: the values of projects, read once a revision, and what tools have revealed or made. A value
// that was known once stays so, also when the vault has another one by now.
type masker struct {
	s *Server

	mu       sync.Mutex
	projects map[string]*masked
	extra    []redact.Secret
	seen     map[[sha256.Size]byte]bool // digests of values in extra
	matcher  *redact.Matcher            // of extra; nil: to be made
}

// masked is a project's values.
type masked struct {
	masking *platform.Masking
	matcher *redact.Matcher
}

// masks are what an answer passes, one after the other.
type masks []*redact.Matcher

func newMasker(s *Server) *masker {
	return &masker{s: s, projects: map[string]*masked{}, seen: map[[sha256.Size]byte]bool{}}
}

// masks returns the matchers for an answer about a project. It reads the vault only if it has changed.
func (k *masker) masks(ctx context.Context, project string) (masks, error) {
	opened, err := k.s.options.Vault.Open(ctx)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	known := k.projects[project]
	if known == nil {
		known = &masked{}
		k.projects[project] = known
	}
	now, err := opened.Platform.Masking(ctx, k.s.caller(nil), project, known.masking)
	if err != nil {
		return nil, err
	}
	if known.matcher == nil || !sameValues(now, known.masking) {
		if err := k.replace(known, now); err != nil {
			return nil, err
		}
	}
	known.masking = now
	if k.matcher == nil {
		if k.matcher, err = redact.New(k.extra); err != nil {
			return nil, err
		}
	}
	if len(k.extra) == 0 {
		return masks{known.matcher}, nil
	}
	return masks{k.matcher, known.matcher}, nil // the extra ones first: among them are values made of several
}

// sameValues reports whether two maskings share their values.
func sameValues(a, b *platform.Masking) bool {
	if a == b {
		return true
	}
	return a != nil && b != nil && len(a.Values) == len(b.Values) && (len(a.Values) == 0 || &a.Values[0] == &b.Values[0])
}

// replace makes the matcher of a project anew. The values it had before go to the extra ones.
func (k *masker) replace(known *masked, now *platform.Masking) error {
	secrets := make([]redact.Secret, len(now.Values))
	for i, v := range now.Values {
		secrets[i] = redact.Secret{Name: v.Name, Value: v.Value}
	}
	matcher, err := redact.New(secrets)
	if err != nil {
		return err
	}
	if known.masking != nil {
		current := make(map[[sha256.Size]byte]bool, len(now.Values))
		for _, v := range now.Values {
			current[sha256.Sum256(v.Value.Reveal())] = true
		}
		for _, v := range known.masking.Values {
			if !current[sha256.Sum256(v.Value.Reveal())] {
				k.add(v.Name, v.Value)
			}
		}
	}
	known.matcher = matcher
	return nil
}

// guard has a value masked from now on.
func (k *masker) guard(name string, v secret.Value) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.add(name, v)
}

func (k *masker) add(name string, v secret.Value) {
	if digest := sha256.Sum256(v.Reveal()); !k.seen[digest] {
		k.seen[digest] = true
		k.extra = append(k.extra, redact.Secret{Name: name, Value: v.Clone()})
		k.matcher = nil
	}
}

// forLog masks a text for the operator's log or a page. What cannot be masked is left out.
func (k *masker) forLog(ctx context.Context, text string) string {
	m, err := k.masks(context.WithoutCancel(ctx), "")
	if err != nil {
		return "(left out, because the vault is not open)"
	}
	return m.text(text)
}

// text masks a text.
func (m masks) text(s string) string {
	for _, each := range m {
		s = each.String(s)
	}
	return s
}

// find reports whether there is anything to mask in b.
func (m masks) find(b []byte) bool {
	for _, each := range m {
		if len(each.Find(b)) > 0 {
			return true
		}
	}
	return false
}
