package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/crypt"
	"github.com/ArcadeLabsInc/zvault/internal/seal"
	"github.com/ArcadeLabsInc/zvault/internal/seal/keyfile"
	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// leftoversKey holds, in clear beside the seal, a JSON list of notes: what seals keep outside of their records and may not
// need. A note is made before the thing itself and goes when the thing is gone or is known to be needed. It may name what the
// record in force needs; that is never removed.
const leftoversKey = "core/seal-leftovers"

// note names what a seal keeps: a key file or an entry of a keychain.
type note struct {
	// Home is the vault's directory. A copy of the vault finds other notes in it than its own, and leaves what they name alone.
	Home string `json:"home"`
	Type string `json:"type"`
	seal.Blob
}

func (n note) is(kind string, b seal.Blob) bool {
	return n.Type == kind && string(n.Config) == string(b.Config)
}

// leftovers finds and removes what changes of the seal have left that were interrupted. Except for list, its methods want the
// directory's lock to be held: what another process is making looks the same.
type leftovers struct {
	home      string
	store     storage.Backend
	providers seal.Set
}

// prepare is seal.Prepare with a note of what the provider keeps.
func (l *leftovers) prepare(ctx context.Context, p seal.Provider, root *crypt.Key, generation int) (*seal.Record, error) {
	f, ok := p.(seal.Forgetter)
	if !ok {
		return seal.Prepare(ctx, p, root, generation, time.Now())
	}
	planned, b, err := f.Plan()
	if err != nil {
		return nil, fmt.Errorf("sealing with %s: %w", p.Type(), err)
	}
	if err := l.note(ctx, p.Type(), b); err != nil {
		return nil, err
	}
	r, err := seal.Prepare(ctx, planned, root, generation, time.Now())
	if err != nil && ctx.Err() == nil && !errors.Is(err, seal.ErrNotForgotten) { // the provider keeps nothing
		err = errors.Join(err, l.drop(ctx, func(n note) bool { return n.is(p.Type(), b) }))
	}
	return r, err
}

// note adds a note, if the provider keeps anything.
func (l *leftovers) note(ctx context.Context, kind string, b seal.Blob) error {
	if _, ok := l.providers[kind].(seal.Forgetter); !ok {
		return nil
	}
	return l.change(ctx, func(all []note) []note {
		if slices.ContainsFunc(all, func(n note) bool { return n.Home == l.home && n.is(kind, b) }) {
			return all // of the attempt before this one
		}
		return append(all, note{Home: l.home, Type: kind, Blob: seal.Blob{Config: b.Config}})
	})
}

// drop removes notes.
func (l *leftovers) drop(ctx context.Context, which func(note) bool) error {
	return l.change(ctx, func(all []note) []note { return slices.DeleteFunc(all, which) })
}

func (l *leftovers) change(ctx context.Context, fn func([]note) []note) error {
	err := l.store.Update(ctx, func(tx storage.Tx) error {
		all, err := loadNotes(ctx, tx)
		if err != nil {
			return err
		}
		if all = fn(all); len(all) == 0 {
			return tx.Delete(ctx, leftoversKey)
		}
		data, err := json.Marshal(all)
		if err != nil {
			return err
		}
		return tx.Put(ctx, leftoversKey, data)
	})
	if err != nil {
		return fmt.Errorf("noting what the seal keeps: %w", err)
	}
	return nil
}

func loadNotes(ctx context.Context, r storage.Reader) ([]note, error) {
	data, err := r.Get(ctx, leftoversKey)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []note
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("the list of them: %w", seal.ErrDamaged)
	}
	return all, nil
}

// list returns the notes of this vault that the record in force, if there is one, does not need.
func (l *leftovers) list(ctx context.Context) (strays []note, err error) {
	err = l.store.View(ctx, func(r storage.Reader) error {
		record, err := seal.Load(ctx, r)
		if err != nil && !errors.Is(err, seal.ErrNoSeal) {
			return err
		}
		all, err := loadNotes(ctx, r)
		strays = slices.DeleteFunc(all, func(n note) bool {
			return n.Home != l.home || record != nil && n.is(record.Type, record.Blob)
		})
		return err
	})
	return strays, err
}

// sweepWait is how long a sweep may take, also when what came before was given up.
const sweepWait = 10 * time.Second

// sweep removes what is noted and not needed. What cannot be removed stays noted.
func (l *leftovers) sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweepWait)
	defer cancel()
	strays, err := l.list(ctx)
	if err != nil {
		return fmt.Errorf("looking for what old seals have left: %w", err)
	}
	var kept []note
	var errs []error
	for _, n := range strays {
		if err := seal.Forget(ctx, &seal.Record{Type: n.Type, Blob: n.Blob}, l.providers); err != nil {
			kept, errs = append(kept, n), append(errs, err)
		}
	}
	errs = append(errs, l.drop(context.WithoutCancel(ctx), func(n note) bool {
		return !slices.ContainsFunc(kept, func(k note) bool { return k.is(n.Type, n.Blob) })
	}))
	return errors.Join(errs...)
}

// restorePattern names the directories that Restore works in.
const restorePattern = ".restore-*"

// sweepRestores removes what restores have left that were interrupted: directories, and the keys that are noted in them. The
// directory's lock is held, so that none is under way.
func sweepRestores(ctx context.Context, home string, o Options) error {
	dirs, err := filepath.Glob(filepath.Join(home, restorePattern))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := sweepRestore(ctx, dir, o.providers(home)); err != nil {
			return fmt.Errorf("removing what an interrupted restore has left in %s: %w", dir, err)
		}
	}
	return nil
}

func sweepRestore(ctx context.Context, dir string, providers seal.Set) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweepWait)
	defer cancel()
	db, store, err := openDatabase(ctx, dir, true)
	switch {
	case errors.Is(err, ErrNoVault), errors.Is(err, sqldb.ErrCorrupt), errors.Is(err, storage.ErrCorrupt):
		return os.RemoveAll(dir) // not unpacked completely, so that there are no notes
	case err != nil:
		return err
	}
	notes, err := loadNotes(ctx, store)
	if errors.Is(err, storage.ErrCorrupt) { // as above
		err = nil
	}
	for _, n := range notes {
		if n.Home == dir { // whether in force or not: there is no vault yet. Others are the backup's.
			err = errors.Join(err, seal.Forget(ctx, &seal.Record{Type: n.Type, Blob: n.Blob}, providers))
		}
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// Leftovers describes what interrupted changes of the seal have left: noted is what the next Rekey removes; unknown are key
// files of which it is not known whether a copy of the vault needs them.
func (v *Vault) Leftovers(ctx context.Context) (noted, unknown []string, err error) {
	unlock, err := lock(filepath.Join(v.Home, lockFile))
	if err != nil {
		return nil, nil, fmt.Errorf("locking %s: %w", v.Home, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	l := &leftovers{v.Home, v.store, v.options.providers(v.Home)}
	strays, err := l.list(ctx)
	if err != nil {
		return nil, nil, err
	}
	record, err := seal.Load(ctx, v.store)
	if err != nil {
		return nil, nil, err
	}
	files, err := keyfile.Provider{Dir: v.Home}.Files()
	if err != nil {
		return nil, nil, err
	}
	for _, n := range strays {
		if noted, err = l.describe(noted, n); err != nil {
			return nil, nil, err
		}
	}
	for _, b := range files {
		n := note{Type: keyfile.Type, Blob: b}
		if n.is(record.Type, record.Blob) || slices.ContainsFunc(strays, func(s note) bool { return s.is(n.Type, n.Blob) }) {
			continue
		}
		if unknown, err = l.describe(unknown, n); err != nil {
			return nil, nil, err
		}
	}
	return noted, unknown, nil
}

func (l *leftovers) describe(to []string, n note) ([]string, error) {
	f, ok := l.providers[n.Type].(seal.Forgetter)
	if !ok {
		return to, fmt.Errorf("a note of kind %q: %w", n.Type, seal.ErrUnknown)
	}
	text, err := f.Describe(n.Blob)
	return append(to, text), err
}
