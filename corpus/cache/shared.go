package cache

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Several machines share results through a store behind the folder. What is not in the folder is taken from the store, and put into the folder.
// Results are copied to the store by Share. Nothing that comes from a store is trusted more than what is in the folder: each entry and each blob
// is compared with its digest. A store that fails is not asked again.

// A Store has results for several machines. Its methods may be called concurrently. Errors other than ErrAbsent mean that it does not work.
type Store interface {
	// Entry returns the text that was put under a key. The error is ErrAbsent if there is none.
	Entry(key string) ([]byte, error)
	// Blob returns the bytes with a digest. The error is ErrAbsent if it does not have them.
	Blob(sum string) ([]byte, error)
	// Put stores a text under a key, and the blobs that belong to it, which it asks for by their digests. The text appears after the blobs.
	Put(key string, text []byte, sums []string, blob func(sum string) ([]byte, error)) error
}

// An UnusableError says that the store is not used any more.
type UnusableError struct{ Err error }

func (e *UnusableError) Error() string {
	return "results are not shared any more in this run: " + e.Err.Error()
}

func (e *UnusableError) Unwrap() error { return e.Err }

// Behind sets the store. It must be called before the cache is used.
func (c *Cache) Behind(s Store) { c.store = s }

// Shared reports whether the cache has a store behind it. If it has, keys must mean the same on other machines.
func (c *Cache) Shared() bool { return c.store != nil }

// fails records that the store does not work. The first error is returned, later ones are ErrAbsent.
func (c *Cache) fails(err error) error {
	if c.failed.Swap(true) {
		return ErrAbsent
	}
	return &UnusableError{err}
}

// fetch takes an entry and its blobs from the store into the folder.
func (c *Cache) fetch(key string) (e entry, err error) {
	if c.store == nil || c.failed.Load() || !isSum(key) {
		return e, ErrAbsent
	}
	data, err := c.store.Entry(key)
	if errors.Is(err, ErrAbsent) {
		return e, ErrAbsent
	}
	if err != nil {
		return e, c.fails(err)
	}
	text, ok := unseal(key, data)
	if !ok || json.Unmarshal(text, &e) != nil {
		return e, &ForeignError{"the entry " + key}
	}
	for _, sum := range e.Blobs {
		if _, err := c.Blob(sum); err == nil {
			continue
		}
		data, err := c.store.Blob(sum)
		switch {
		case errors.Is(err, ErrAbsent):
			return e, ErrAbsent
		case err != nil:
			return e, c.fails(err)
		case Sum(data) != sum:
			return e, &ForeignError{"the blob " + sum}
		}
		if _, err := c.PutBlob(data); err != nil {
			return e, err
		}
	}
	return e, c.put(entries, key, data)
}

// A ForeignError says that the store has other contents than those that were put there. They are not used.
type ForeignError struct{ What string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("the store of results has something else as %s; it is made again", e.What)
}

// Share copies a result from the folder to the store. It does nothing without a store.
func (c *Cache) Share(key string) error {
	if c.store == nil || c.failed.Load() {
		return nil
	}
	text, err := c.sealed(entries, key)
	if err != nil {
		return err
	}
	var e entry
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	if err := c.store.Put(key, seal(key, text), e.Blobs, c.Blob); err != nil {
		return c.fails(err)
	}
	return nil
}
