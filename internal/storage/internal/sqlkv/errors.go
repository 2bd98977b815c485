package sqlkv

import (
	"errors"

	"github.com/ArcadeLabsInc/zvault/internal/sqldb"
	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// both is an error that is a sentinel of storage beside all that it was before. Its text stays.
type both struct{ err, kind error }

func (e *both) Error() string   { return e.err.Error() }
func (e *both) Unwrap() []error { return []error{e.err, e.kind} }

// ToStorage adds the sentinel of storage that answers to one of sqldb.
func ToStorage(err error) error {
	err = sqldb.Classify(err)
	for _, pair := range [...]struct{ from, to error }{
		{sqldb.ErrReadOnly, storage.ErrReadOnly},
		{sqldb.ErrFull, storage.ErrFull},
		{sqldb.ErrCorrupt, storage.ErrCorrupt},
		{sqldb.ErrLocked, storage.ErrLocked},
		{sqldb.ErrUnavailable, storage.ErrUnavailable},
		{sqldb.ErrClosed, storage.ErrClosed},
	} {
		if errors.Is(err, pair.from) && !errors.Is(err, pair.to) {
			return &both{err, pair.to}
		}
	}
	return err
}
