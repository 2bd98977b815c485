package kv2

import (
	"context"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// versionsRoute is the route of an act on versions that a request names.
func versionsRoute(name string, act logical.Handler, synopsis string) *logical.Route {
	return &logical.Route{
		Pattern:  name + "/*path",
		Fields:   []logical.Field{pathField, {Name: "versions", Type: logical.CommaList, Help: "The numbers of the versions."}},
		Ops:      map[logical.Operation]logical.Handler{logical.Update: act},
		Synopsis: synopsis,
	}
}

// numbers reads the field versions; none is the error text none.
func numbers(d logical.Data, none string) ([]uint64, error) {
	list := d.Strings("versions")
	if len(list) == 0 {
		return nil, logical.Invalid("%s", none)
	}
	out := make([]uint64, 0, len(list))
	for _, s := range list {
		n, err := strconv.ParseInt(s, 0, 64)
		if err != nil {
			return nil, logical.Invalid("error converting input for field %q: %q is no version number", "versions", s)
		}
		if n > 0 { // others name no version
			out = append(out, uint64(n))
		}
	}
	return out, nil
}

// eachVersion calls act for those of the named versions that are there and not destroyed, and stores the metadata if one of
// them says that it changed something.
func eachVersion(ctx context.Context, r *logical.Request, none string,
	act func(tx storage.Tx, m *metadata, number uint64, v *version) (bool, error),
) error {
	list, err := numbers(r.Data, none)
	if err != nil {
		return err
	}
	return change(ctx, r, func(tx storage.Tx, m *metadata) (*metadata, error) {
		if m == nil {
			return nil, nil
		}
		some := false
		for _, n := range list {
			v := m.version(n)
			if v == nil || v.Destroyed {
				continue
			}
			changed, err := act(tx, m, n, v)
			if err != nil {
				return nil, err
			}
			some = some || changed
		}
		if !some {
			return nil, nil
		}
		return m, nil
	})
}

func deleteVersions(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	return nil, eachVersion(ctx, r, "No version number provided",
		func(_ storage.Tx, _ *metadata, _ uint64, v *version) (bool, error) {
			if v.deleted(r.Time) {
				return false, nil
			}
			v.Deletion = moment(r)
			return true, nil
		})
}

// undeleteVersions brings versions back; the span after which they are deleted by themselves starts anew.
func undeleteVersions(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	mount, err := settings(ctx, r.Storage)
	if err != nil {
		return nil, err
	}
	return nil, eachVersion(ctx, r, "No version number provided",
		func(_ storage.Tx, m *metadata, _ uint64, v *version) (bool, error) {
			v.Deletion = m.deletion(moment(r), mount)
			return true, nil
		})
}

func destroyVersions(ctx context.Context, r *logical.Request) (*logical.Response, error) {
	path := r.Params.Get("path")
	return nil, eachVersion(ctx, r, "no version number provided",
		func(tx storage.Tx, _ *metadata, n uint64, v *version) (bool, error) {
			v.Destroyed = true
			return true, tx.Delete(ctx, entryName(path, n))
		})
}
