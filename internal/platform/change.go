package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/secret"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// MaxValue is the most bytes a value may have.
const MaxValue = 1 << 20

// Types of a secret.
const (
	// TypeText is the default: the value may hold references.
	TypeText = "text"
	// TypeRaw is taken as it is, even if it looks like a reference.
	TypeRaw = "raw"
)

// Change is what is to happen to one secret. Fields that are nil leave things as they are; a secret that does not exist is
// made, for which Value is needed.
type Change struct {
	Name    string
	Delete  bool
	Value   *secret.Value
	Comment *string
	Type    *string
	// Tags sets tags; an empty string removes one.
	Tags map[string]string
	// Pin keeps the current version (or PinVersion) from being replaced; false lifts that.
	Pin        *bool
	PinVersion int64
}

// Batch is a set of changes that take effect together or not at all.
type Batch struct {
	Changes []Change
	Message string
	// Expect, if not nil, is the revision that the environment must still have; otherwise Apply returns a Conflict.
	Expect *int64
}

// Result says what Apply did. Changed lists the names that it touched; none means that everything was so already and
// Revision is the old one.
type Result struct {
	Revision int64    `json:"revision"`
	Changed  []string `json:"changed"`
}

// Apply changes secrets of one environment in one commit.
func (s *Service) Apply(ctx context.Context, c Caller, e Env, b Batch) (Result, error) {
	return s.apply(ctx, c, e, actChange, func(*applier) (Batch, error) { return b, nil })
}

// apply runs one commit; plan makes the batch inside the transaction, from what the environment holds then.
func (s *Service) apply(ctx context.Context, c Caller, e Env, a action, plan func(*applier) (Batch, error)) (Result, error) {
	if err := s.permit(ctx, c, a, e.target()); err != nil {
		return Result{}, err
	}
	var result Result
	err := s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		ap := &applier{s: s, tx: tx, c: c, env: e}
		if err := ap.open(ctx); err != nil {
			return err
		}
		batch, err := plan(ap)
		if err != nil {
			return err
		}
		result, err = ap.run(ctx, a, batch)
		return err
	})
	if err != nil {
		return Result{}, failure("changing "+e.Project+"/"+e.Slug, err)
	}
	return result, nil
}

// applier is one commit under way.
type applier struct {
	s       *Service
	tx      *sqlstore.Tx
	c       Caller
	env     Env
	row     sqlstore.Environment
	box     box
	current map[string]sqlstore.Secret
}

func (ap *applier) open(ctx context.Context) (err error) {
	if ap.row, err = ap.s.environmentToChange(ctx, ap.tx, ap.c, ap.env); err != nil {
		return err
	}
	if ap.box, err = ap.s.openingBox(ctx, ap.tx, ap.row); err != nil {
		return err
	}
	all, err := ap.tx.Secrets(ctx, ap.row.ID)
	if err != nil {
		return err
	}
	ap.current = make(map[string]sqlstore.Secret, len(all))
	for _, sec := range all {
		ap.current[sec.Name] = sec
	}
	return nil
}

// step is a change worked out against the current state.
type step struct {
	next    sqlstore.Secret
	value   *secret.Value // a new version, if not nil
	comment *string
}

func (ap *applier) run(ctx context.Context, a action, b Batch) (Result, error) {
	if b.Expect != nil && *b.Expect != ap.row.Revision {
		return Result{}, &Error{Kind: Conflict, Revision: ap.row.Revision, Message: ap.env.Project + "/" + ap.env.Slug + " was changed by someone else since"}
	}
	var steps []step
	seen := map[string]bool{}
	for _, change := range b.Changes {
		if seen[change.Name] {
			return Result{}, invalid("%s is changed twice in one batch", change.Name)
		}
		seen[change.Name] = true
		st, changed, err := ap.work(ctx, change)
		if err != nil {
			return Result{}, err
		}
		if changed {
			steps = append(steps, st)
		}
	}
	if len(steps) == 0 {
		return Result{Revision: ap.row.Revision}, nil
	}
	return ap.commit(ctx, a, b.Message, steps)
}

// work validates a change and works out the state it leads to; changed is false when it makes no difference.
func (ap *applier) work(ctx context.Context, ch Change) (st step, changed bool, err error) {
	if err := ref.ValidKey(ch.Name); err != nil {
		return st, false, invalid("%q: %v", ch.Name, err)
	}
	now, exists := ap.current[ch.Name]
	if ch.Delete {
		return ap.workDelete(ch, now, exists)
	}
	if !exists {
		if ch.Value == nil {
			return st, false, notFound("%s is not set in %s/%s", ch.Name, ap.env.Project, ap.env.Slug)
		}
		now = sqlstore.Secret{State: sqlstore.State{EnvironmentID: ap.row.ID, Name: ch.Name, Type: TypeText, Tags: "{}"}}
	}
	st.next = now
	for _, part := range []func(context.Context, Change, sqlstore.Secret, *step) (bool, error){ap.workType, ap.workPin, ap.workValue, ap.workComment, ap.workTags} {
		did, err := part(ctx, ch, now, &st)
		if err != nil {
			return st, false, err
		}
		changed = changed || did
	}
	return st, changed, nil
}

func (ap *applier) workDelete(ch Change, now sqlstore.Secret, exists bool) (step, bool, error) {
	if !exists {
		return step{}, false, notFound("%s is not set in %s/%s", ch.Name, ap.env.Project, ap.env.Slug)
	}
	if now.Pinned {
		return step{}, false, newError(Conflict, "%s is pinned at version %d; unpin it first", ch.Name, now.Version)
	}
	now.Deleted = true
	return step{next: now}, true, nil
}

func (ap *applier) workType(_ context.Context, ch Change, now sqlstore.Secret, st *step) (bool, error) {
	if ch.Type == nil || *ch.Type == now.Type {
		return false, nil
	}
	if *ch.Type != TypeText && *ch.Type != TypeRaw {
		return false, invalid("%s: there is no type %q; use %s or %s", ch.Name, *ch.Type, TypeText, TypeRaw)
	}
	st.next.Type = *ch.Type
	return true, nil
}

func (ap *applier) workPin(ctx context.Context, ch Change, now sqlstore.Secret, st *step) (bool, error) {
	if ch.Pin == nil {
		return false, nil
	}
	st.next.Pinned = *ch.Pin
	did := *ch.Pin != now.Pinned
	if !*ch.Pin || ch.PinVersion == 0 || ch.PinVersion == now.Version {
		return did, nil
	}
	if now.Pinned {
		return false, newError(Conflict, "%s is pinned at version %d; unpin it first", ch.Name, now.Version)
	}
	v, err := ap.tx.Version(ctx, ap.row.ID, ch.Name, ch.PinVersion)
	if isNotFound(err) {
		return false, notFound("%s has no version %d", ch.Name, ch.PinVersion)
	}
	st.next.Version, st.next.Sealed = ch.PinVersion, v.Sealed
	return true, err
}

func (ap *applier) workValue(_ context.Context, ch Change, now sqlstore.Secret, st *step) (bool, error) {
	if ch.Value == nil {
		return false, nil
	}
	if err := validValue(ch.Name, *ch.Value, st.next.Type); err != nil {
		return false, err
	}
	if now.Version != 0 {
		old, err := ap.box.openValue(ch.Name, now.Version, now.Sealed)
		if err != nil {
			return false, err
		}
		if old.Equal(*ch.Value) {
			return false, nil
		}
		if now.Pinned && st.next.Pinned {
			return false, newError(Conflict, "%s is pinned at version %d; unpin it first", ch.Name, now.Version)
		}
	}
	st.value = ch.Value
	return true, nil
}

func validValue(name string, v secret.Value, kind string) error {
	if v.Len() > MaxValue {
		return invalid("%s: the value has %d bytes, the limit is %d", name, v.Len(), MaxValue)
	}
	if i := bytes.IndexByte(v.Reveal(), 0); i >= 0 {
		return invalid("%s: the value has a NUL at byte %d, which no environment variable can hold; encode it, as base64 say", name, i)
	}
	if kind == TypeRaw || !ref.MayRefer(v.Reveal()) {
		return nil
	}
	if _, err := ref.ParseTemplate(string(v.Reveal())); err != nil {
		return invalid("%s: the value holds a reference that is not one (%v); set it with type raw to take it as it is", name, err)
	}
	return nil
}

func (ap *applier) workComment(_ context.Context, ch Change, now sqlstore.Secret, st *step) (bool, error) {
	if ch.Comment == nil {
		return false, nil
	}
	old, err := ap.box.openComment(ch.Name, now.Comment)
	if err != nil || old == *ch.Comment {
		return false, err
	}
	st.comment = ch.Comment
	return true, nil
}

func (ap *applier) workTags(_ context.Context, ch Change, now sqlstore.Secret, st *step) (bool, error) {
	if len(ch.Tags) == 0 {
		return false, nil
	}
	tags, err := decodeTags(now.Tags)
	if err != nil {
		return false, err
	}
	old := maps.Clone(tags)
	for k, v := range ch.Tags {
		if k == "" || len(k) > 128 || len(v) > 1024 {
			return false, invalid("%s: tag %q: a tag has a name of 1 to 128 bytes and a value of at most 1024", ch.Name, k)
		}
		if v == "" {
			delete(tags, k)
			continue
		}
		tags[k] = v
	}
	st.next.Tags = encodeTags(tags)
	return !maps.Equal(old, tags), nil
}

func decodeTags(text string) (map[string]string, error) {
	tags := map[string]string{}
	return tags, json.Unmarshal([]byte(text), &tags)
}

func encodeTags(tags map[string]string) string {
	text, err := json.Marshal(tags)
	if err != nil {
		panic(err) // a map of strings always marshals
	}
	return string(text)
}

// commit seals and stores the steps as the next revision and writes it down.
func (ap *applier) commit(ctx context.Context, a action, message string, steps []step) (Result, error) {
	box, err := ap.s.sealingBox(ctx, ap.tx, ap.row, 3*len(steps))
	if err != nil {
		return Result{}, err
	}
	revision, err := ap.tx.NextRevision(ctx, ap.row.ID)
	if err != nil {
		return Result{}, err
	}
	at := ap.s.now()
	if err := ap.tx.InsertCommit(ctx, sqlstore.Commit{
		EnvironmentID: ap.row.ID, Revision: revision, At: at, Actor: ap.c.Actor.Name, Client: ap.c.Client.Name, Action: string(a), Message: message,
	}); err != nil {
		return Result{}, err
	}
	result := Result{Revision: revision}
	for _, st := range steps {
		st.next.Revision = revision
		if err := ap.store(ctx, box, at, st); err != nil {
			return Result{}, err
		}
		result.Changed = append(result.Changed, st.next.Name)
	}
	t := ap.env.target(result.Changed...)
	t.revision = revision
	return result, ap.s.record(ctx, ap.c, a, t, audit.OK)
}

func (ap *applier) store(ctx context.Context, box box, at int64, st step) (err error) {
	if st.comment != nil {
		if st.next.Comment, err = box.sealComment(st.next.Name, *st.comment); err != nil {
			return err
		}
	}
	if st.value != nil {
		if err := ap.storeValue(ctx, box, at, &st); err != nil {
			return err
		}
	}
	if st.value != nil || st.next.Deleted || st.next.Type != ap.current[st.next.Name].Type || st.next.Version != ap.current[st.next.Name].Version {
		if err := ap.storeEdges(ctx, box, st); err != nil {
			return err
		}
	}
	return ap.tx.PutSecret(ctx, st.next)
}

func (ap *applier) storeValue(ctx context.Context, box box, at int64, st *step) error {
	last, err := ap.tx.LastVersion(ctx, ap.row.ID, st.next.Name)
	if err != nil {
		return err
	}
	st.next.Version = last + 1
	if st.next.Sealed, err = box.sealValue(st.next.Name, st.next.Version, *st.value); err != nil {
		return err
	}
	v := sqlstore.Version{
		EnvironmentID: ap.row.ID, Name: st.next.Name, Version: st.next.Version, Generation: uint32(box.ring.ActiveID()), Sealed: st.next.Sealed,
		CreatedAt: at, CreatedBy: ap.c.Actor.Name,
	}
	if v.Fingerprint, err = box.sealFingerprint(v.Name, v.Version, *st.value); err != nil {
		return err
	}
	return ap.tx.InsertVersion(ctx, v)
}

// storeEdges keeps the reverse graph: which secrets the current value refers to.
func (ap *applier) storeEdges(ctx context.Context, box box, st step) error {
	if st.next.Deleted || st.next.Type == TypeRaw {
		return ap.tx.SetEdges(ctx, ap.row.ID, st.next.Name, nil)
	}
	value, err := box.openValue(st.next.Name, st.next.Version, st.next.Sealed)
	if err != nil {
		return err
	}
	if !ref.MayRefer(value.Reveal()) {
		return ap.tx.SetEdges(ctx, ap.row.ID, st.next.Name, nil)
	}
	template, err := ref.ParseTemplate(string(value.Reveal()))
	if err != nil {
		return invalid("%s: the value holds a reference that is not one (%v)", st.next.Name, err)
	}
	var edges []sqlstore.Edge
	for _, to := range template.Refs() {
		if to.IsEngine() {
			continue
		}
		project := to.Project
		if project == "" {
			project = ap.env.Project
		}
		edges = append(edges, sqlstore.Edge{TargetProject: project, TargetEnv: to.Env, TargetName: to.Key})
	}
	return ap.tx.SetEdges(ctx, ap.row.ID, st.next.Name, edges)
}
