package transit

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

// due is the entry that says when a key is to be rotated. Only keys with a period have one, so that looking for them does not
// mean reading every key.
type due struct {
	Time time.Time `json:"time"`
}

func archiveEntry(name string, number int) string {
	return archivePrefix + name + "/" + strconv.Itoa(number)
}

// save stores k. Versions that are too old for decryption go to the archive, where requests do not have to load them; those
// that may be used again come back; those below MinAvailableVersion are deleted.
func save(ctx context.Context, tx storage.Tx, k *key) error {
	if err := k.consistent(); err != nil {
		return err
	}
	for number, v := range k.Versions {
		if number >= k.MinDecryptionVersion {
			continue
		}
		if number >= k.MinAvailableVersion {
			if err := logical.Put(ctx, tx, archiveEntry(k.Name, number), v); err != nil {
				return err
			}
		}
		delete(k.Versions, number)
	}
	if err := restoreArchived(ctx, tx, k); err != nil {
		return err
	}
	if err := trimArchive(ctx, tx, k); err != nil {
		return err
	}
	if err := schedule(ctx, tx, k); err != nil {
		return err
	}
	return logical.Put(ctx, tx, policyPrefix+k.Name, k)
}

func (k *key) consistent() error {
	switch {
	case k.MinDecryptionVersion < 1 || k.MinDecryptionVersion > k.LatestVersion,
		k.MinEncryptionVersion != 0 && k.MinEncryptionVersion < k.MinDecryptionVersion, k.MinEncryptionVersion > k.LatestVersion,
		k.MinAvailableVersion < 0 || k.MinAvailableVersion > k.MinDecryptionVersion:
		return fault("versions of key %q contradict each other", k.Name)
	}
	return nil
}

func restoreArchived(ctx context.Context, tx storage.Tx, k *key) error {
	for number := k.MinDecryptionVersion; number <= k.LatestVersion; number++ {
		if k.Versions[number] != nil {
			continue
		}
		v, err := logical.Get[version](ctx, tx, archiveEntry(k.Name, number))
		if err != nil {
			return err
		}
		if v == nil {
			return fmt.Errorf("reading version %d of a transit key from the archive: %w", number, storage.ErrCorrupt)
		}
		v.prepare(k.Type)
		k.Versions[number] = v
		if err := tx.Delete(ctx, archiveEntry(k.Name, number)); err != nil {
			return err
		}
	}
	return nil
}

// archived reads the versions in the archive, by number.
func archived(ctx context.Context, r storage.Reader, name string) (map[int]*version, error) {
	numbers, err := r.List(ctx, archivePrefix+name+"/", "", 0)
	if err != nil {
		return nil, err
	}
	out := make(map[int]*version, len(numbers))
	for _, text := range numbers {
		number, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("reading the archive of a transit key: %w", storage.ErrCorrupt)
		}
		if out[number], err = logical.Get[version](ctx, r, archiveEntry(name, number)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func trimArchive(ctx context.Context, tx storage.Tx, k *key) error {
	if k.MinAvailableVersion == 0 {
		return nil
	}
	numbers, err := tx.List(ctx, archivePrefix+k.Name+"/", "", 0)
	if err != nil {
		return err
	}
	for _, text := range numbers {
		if number, err := strconv.Atoi(text); err == nil && number >= k.MinAvailableVersion {
			continue
		}
		if err := tx.Delete(ctx, archivePrefix+k.Name+"/"+text); err != nil {
			return err
		}
	}
	return nil
}

// schedule notes when the key is due for rotation, or that it is not.
func schedule(ctx context.Context, tx storage.Tx, k *key) error {
	latest := k.Versions[k.LatestVersion]
	if k.AutoRotatePeriod == 0 || k.Imported && !k.AllowRotation || latest == nil {
		return tx.Delete(ctx, rotationPrefix+k.Name)
	}
	return logical.Put(ctx, tx, rotationPrefix+k.Name, due{latest.Time.Add(k.AutoRotatePeriod)})
}

// erase deletes a key with all that belongs to it.
func erase(ctx context.Context, tx storage.Tx, name string) error {
	numbers, err := tx.List(ctx, archivePrefix+name+"/", "", 0)
	if err != nil {
		return err
	}
	for _, text := range numbers {
		if err := tx.Delete(ctx, archivePrefix+name+"/"+text); err != nil {
			return err
		}
	}
	if err := tx.Delete(ctx, rotationPrefix+name); err != nil {
		return err
	}
	return tx.Delete(ctx, policyPrefix+name)
}

// change hands the named key to fn and stores it afterwards if fn says so; missing is the error if there is no such key. It
// returns the key as it then is. fn may run more than once, each time with a fresh key.
func change(ctx context.Context, r *logical.Request, missing error, fn func(*key) (store bool, err error)) (*key, error) {
	var out *key
	err := r.Storage.Update(ctx, func(tx storage.Tx) error {
		k, err := get(ctx, tx, r.Params.Get("name"))
		if err != nil {
			return err
		}
		if k == nil {
			return missing
		}
		out = k
		store, err := fn(k)
		if err != nil || !store {
			return err
		}
		return save(ctx, tx, k)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// create stores k with a first version, unless the name is taken by then. It returns the key that is stored.
func create(ctx context.Context, r *logical.Request, k *key) (*key, error) {
	if found, err := load(ctx, r.Storage, k.Name); err != nil || found != nil {
		return found, err
	}
	if err := k.creatable(); err != nil {
		return nil, err
	}
	v, err := k.generate(r.Time)
	if err != nil {
		return nil, err
	}
	k.add(v)
	var stored *key
	err = r.Storage.Update(ctx, func(tx storage.Tx) error {
		var err error
		if stored, err = get(ctx, tx, k.Name); err != nil || stored != nil {
			return err
		}
		stored = k
		return save(ctx, tx, k)
	})
	return stored, err
}

// creatable completes a key that is to be made and says what its type does not support.
func (k *key) creatable() error {
	switch {
	case k.Convergent && k.Type == ed25519Key:
		return fault("convergent encryption not supported for keys of type %v", k.Type)
	case (k.Derived || k.Convergent) && !k.Type.derives():
		return fault("key derivation and convergent encryption not supported for keys of type %v", k.Type)
	}
	if k.Derived {
		k.KDF = kdfHKDF
	}
	if k.Convergent {
		k.ConvergentVersion = -1
	}
	return nil
}
