// Package cache stores results under what they were made from, so that they are not made again.
//
// Input: keys and bytes. Output: the same bytes, or nothing. An entry is whole or absent: it is written under a temporary name and renamed,
// and its digest is compared whenever it is taken. Several processes may use one cache. Never: the package knows nothing about images or BTF,
// fails no caller because an entry is missing or damaged, and trusts no entry that it has not checked.
//
// Layout below the folder, each file in a subfolder of the first two digits of its name:
//
//	results/1/blobs/SHA256    bytes, by their own digest
//	results/1/entries/KEY     what is known about the result of an action, with the digests of its blobs
//	results/1/files/HASH      the digest of a file outside the cache, with the state that the file had; by the hash of its path
//	results/1/tmp             files that are being written
package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Folder returns the default folder: $BTFBATCH_CACHE if that is a folder and not the address of a store, or btfbatch in the user's cache folder.
func Folder() (string, error) {
	if dir := os.Getenv("BTFBATCH_CACHE"); dir != "" && !strings.Contains(dir, "://") {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: set BTFBATCH_CACHE to a folder", err)
	}
	return filepath.Join(dir, "btfbatch"), nil
}

// The kinds of files in a cache, and their subfolders.
const (
	blobs   = "blobs"
	entries = "entries"
	files   = "files"
	tmp     = "tmp"
)

// A Cache is an open cache. It is safe for concurrent use.
type Cache struct {
	dir    string // DIR/results/1
	store  Store  // behind the folder; may be nil
	failed atomic.Bool
}

// at is the place of the results in the folder of the cache. Another form of the files gets another number.
var at = filepath.Join("results", "1")

// Open opens the cache in a folder, creates it if necessary, and removes what killed processes left half-written.
func Open(folder string) (*Cache, error) {
	c := &Cache{dir: filepath.Join(folder, at)}
	if err := os.MkdirAll(filepath.Join(c.dir, tmp), 0o777); err != nil {
		return nil, err
	}
	probe, err := c.create()
	if err != nil {
		return nil, err
	}
	c.drop(probe)
	return c, c.sweep()
}

// Dir is the folder with the results.
func (c *Cache) Dir() string { return c.dir }

// Sum returns the SHA-256 digest of data in lower-case hex, which is the form of all digests and keys here.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// isSum reports whether text is a digest.
func isSum(text string) bool {
	return len(text) == 2*sha256.Size && strings.Trim(text, "0123456789abcdef") == ""
}

func (c *Cache) path(kind, name string) string { return filepath.Join(c.dir, kind, name[:2], name) }

// ErrAbsent says that the cache does not have what was asked for.
var ErrAbsent = errors.New("not in the cache")

// A DamagedError says that a file of the cache had other contents than those that were put there. The file has been removed.
type DamagedError struct{ Path string }

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s was damaged; it is removed and made again", e.Path)
}

// PutBlob stores bytes and returns their digest.
func (c *Cache) PutBlob(data []byte) (sum string, err error) {
	sum = Sum(data)
	if st, err := os.Stat(c.path(blobs, sum)); err == nil && st.Size() == int64(len(data)) {
		if _, err := c.Blob(sum); err == nil { // only its name and size are known until it is read
			return sum, nil
		}
	}
	return sum, c.put(blobs, sum, data)
}

// Blob returns the bytes with a digest. The error is ErrAbsent or a *DamagedError, or one of the file system.
func (c *Cache) Blob(sum string) ([]byte, error) {
	if !isSum(sum) {
		return nil, ErrAbsent
	}
	data, err := c.read(blobs, sum)
	if err == nil && Sum(data) != sum {
		return nil, c.damaged(blobs, sum)
	}
	return data, err
}

// An entry is what is stored about an action.
type entry struct {
	Blobs []string        `json:"blobs"`
	Value json.RawMessage `json:"value"`
}

// Put stores what is known about an action, as JSON, and which blobs belong to it. They were put before.
func (c *Cache) Put(key string, value json.RawMessage, sums []string) error {
	text, err := json.Marshal(entry{sums, value})
	if err != nil {
		return err
	}
	return c.put(entries, key, seal(key, text))
}

// Remove forgets what is known about an action in this folder. It is no error if nothing is known.
func (c *Cache) Remove(key string) error {
	if !isSum(key) {
		return nil
	}
	if err := os.Remove(c.path(entries, key)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Get returns what is known about an action, and notes that it was used. The error is as that of Blob.
func (c *Cache) Get(key string) (json.RawMessage, error) {
	e, err := c.entry(key)
	if err != nil {
		if fetched, fetchErr := c.fetch(key); !errors.Is(fetchErr, ErrAbsent) {
			e, err = fetched, fetchErr
		}
	}
	if err == nil {
		_ = os.Chtimes(c.path(entries, key), time.Time{}, time.Now()) // GC removes first what was not used for the longest time
	}
	return e.Value, err
}

func (c *Cache) entry(key string) (e entry, err error) {
	text, err := c.sealed(entries, key)
	if err == nil && json.Unmarshal(text, &e) != nil {
		err = c.damaged(entries, key)
	}
	return e, err
}

// sealed reads a file that starts with its digest.
func (c *Cache) sealed(kind, name string) ([]byte, error) {
	if !isSum(name) {
		return nil, ErrAbsent
	}
	data, err := c.read(kind, name)
	if err != nil {
		return nil, err
	}
	text, ok := unseal(name, data)
	if !ok {
		return nil, c.damaged(kind, name)
	}
	return text, nil
}

// seal puts a digest of the name and the text before the text.
func seal(name string, text []byte) []byte {
	return append([]byte(Sum(append([]byte(name), text...))+"\n"), text...)
}

func unseal(name string, data []byte) (text []byte, ok bool) {
	sum, text, found := bytes.Cut(data, []byte("\n"))
	return text, found && string(sum) == Sum(append([]byte(name), text...))
}

func (c *Cache) read(kind, name string) ([]byte, error) {
	path := c.path(kind, name)
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
		return nil, c.damaged(kind, name) // opening a pipe might wait for ever
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrAbsent
	}
	return data, err
}

// damaged removes a file.
func (c *Cache) damaged(kind, name string) error {
	path := c.path(kind, name)
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	return &DamagedError{path}
}

// put writes a file. It is not synced: a file that a crash of the system damages is found by its digest.
func (c *Cache) put(kind, name string, data []byte) error {
	path := c.path(kind, name)
	f, err := c.create()
	if err != nil {
		return err
	}
	defer c.drop(f)
	if _, err := f.Write(data); err != nil {
		return err
	}
	if !movesOpen {
		if err := f.Close(); err != nil {
			return err
		}
	}
	err = os.Rename(f.Name(), path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o777); err == nil {
			err = os.Rename(f.Name(), path)
		}
	}
	return err
}

// create creates a temporary file. It is locked while it is open, so that other processes do not take it for a leftover.
func (c *Cache) create() (*os.File, error) {
	for range 100 {
		f, err := os.CreateTemp(filepath.Join(c.dir, tmp), "*")
		if err != nil {
			return nil, err
		}
		if mine(f) {
			return f, nil
		}
		c.drop(f)
	}
	return nil, fmt.Errorf("%s: temporary files are removed as soon as they are created", c.dir)
}

// drop closes a temporary file, and removes it unless it was renamed.
func (c *Cache) drop(f *os.File) {
	if !movesOpen {
		f.Close()
	}
	_ = os.Remove(f.Name())
	f.Close()
}

// sweep removes the temporary files that no process writes.
func (c *Cache) sweep() error {
	list, err := os.ReadDir(filepath.Join(c.dir, tmp))
	if err != nil {
		return err
	}
	for _, e := range list {
		path := filepath.Join(c.dir, tmp, e.Name())
		if !e.Type().IsRegular() {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			continue // it has its name no more
		}
		if abandoned(f) {
			_ = os.Remove(path)
		}
		f.Close()
	}
	return nil
}
