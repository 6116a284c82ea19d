package cache

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Info counts what is in a cache.
type Info struct {
	Results     int   // actions whose results are known
	Blobs       int   // files of their outputs
	Files       int   // files outside the cache whose digests are known
	Bytes       int64 // of all of these
	Oldest      time.Time
	LastUsed    time.Time
	Unreachable int // blobs that no result names
}

// A stored is a file of the cache.
type stored struct {
	kind, name string
	size       int64
	used       time.Time
}

// list returns the files of the given kinds. Other files in the folder, which the cache did not put there, are left out.
func (c *Cache) list(kinds ...string) (all []stored, err error) {
	for _, kind := range kinds {
		err := filepath.WalkDir(filepath.Join(c.dir, kind), func(path string, e fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case e.IsDir() || !isSum(e.Name()) || path != c.path(kind, e.Name()):
				return nil
			}
			st, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) { // another process removed it
				return nil
			}
			if err == nil {
				all = append(all, stored{kind, e.Name(), st.Size(), st.ModTime()})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Info counts what is in the cache.
func (c *Cache) Info() (i Info, err error) {
	all, err := c.list(blobs, entries, files)
	if err != nil {
		return i, err
	}
	named := c.named(all)
	for _, f := range all {
		i.Bytes += f.size
		switch f.kind {
		case blobs:
			i.Blobs++
			if !named[f.name] {
				i.Unreachable++
			}
		case entries:
			i.Results++
			if i.Oldest.IsZero() || f.used.Before(i.Oldest) {
				i.Oldest = f.used
			}
			if f.used.After(i.LastUsed) {
				i.LastUsed = f.used
			}
		case files:
			i.Files++
		}
	}
	return i, nil
}

// named returns the digests of the blobs that entries name.
func (c *Cache) named(all []stored) map[string]bool {
	named := map[string]bool{}
	for _, f := range all {
		if f.kind == entries {
			for _, sum := range c.blobsOf(f.name) {
				named[sum] = true
			}
		}
	}
	return named
}

// blobsOf returns the digests of the blobs of an entry. A damaged entry has none.
func (c *Cache) blobsOf(key string) []string {
	e, err := c.entry(key)
	if err != nil {
		return nil
	}
	return e.Blobs
}

// grace is how long a blob without an entry is kept: the process that put it may be about to put the entry.
const grace = time.Hour

// GC removes results, those that were not used for the longest time first, until the cache has at most the given number of bytes. It removes
// blobs that no entry names too. Processes that use the cache meanwhile find that a result is absent. It returns how many results, and how
// many bytes in all, it removed.
func (c *Cache) GC(most int64) (results int, freed int64, err error) {
	if err := c.sweep(); err != nil {
		return 0, 0, err
	}
	all, err := c.list(entries, files, blobs)
	if err != nil {
		return 0, 0, err
	}
	size, users, total := map[string]int64{}, map[string]int{}, int64(0)
	of := map[string][]string{}
	for _, f := range all {
		total += f.size
		switch f.kind {
		case blobs:
			size[f.name] = f.size
		case entries:
			of[f.name] = c.blobsOf(f.name)
			for _, sum := range of[f.name] {
				users[sum]++
			}
		}
	}
	remove := func(kind, name string, n int64) error {
		if err := os.Remove(c.path(kind, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total, freed = total-n, freed+n
		return nil
	}
	for _, f := range all {
		if f.kind == blobs && users[f.name] == 0 && (time.Since(f.used) > grace || total > most) {
			if err := remove(blobs, f.name, f.size); err != nil {
				return results, freed, err
			}
		}
	}
	slices.SortFunc(all, func(a, b stored) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.name, b.name)) })
	for _, f := range all {
		if f.kind == blobs || total <= most {
			continue
		}
		if err := remove(f.kind, f.name, f.size); err != nil {
			return results, freed, err
		}
		if f.kind == entries {
			results++
		}
		for _, sum := range of[f.name] {
			if n, there := size[sum]; there {
				if users[sum]--; users[sum] == 0 {
					if err := remove(blobs, sum, n); err != nil {
						return results, freed, err
					}
				}
			}
		}
	}
	return results, freed, nil
}

// Verify reads everything in the cache. It removes what is damaged, and entries whose blobs are missing, and returns the paths of those.
func (c *Cache) Verify() (checked int, bad []string, err error) {
	all, err := c.list(blobs, files, entries) // entries last: a damaged blob takes its entries with it
	if err != nil {
		return 0, nil, err
	}
	for _, f := range all {
		checked++
		if f.kind == blobs {
			_, err = c.Blob(f.name)
		} else {
			_, err = c.sealed(f.kind, f.name)
		}
		if err == nil && f.kind == entries {
			for _, sum := range c.blobsOf(f.name) {
				if _, missing := c.stat(sum); errors.Is(missing, fs.ErrNotExist) {
					err = c.damaged(entries, f.name)
					break
				}
			}
		}
		damage := (*DamagedError)(nil)
		switch {
		case errors.As(err, &damage):
			bad = append(bad, damage.Path)
		case err != nil && !errors.Is(err, ErrAbsent):
			return checked, bad, err
		}
	}
	return checked, bad, nil
}

// stat describes a blob, without reading it.
func (c *Cache) stat(sum string) (fs.FileInfo, error) {
	if !isSum(sum) {
		return nil, fs.ErrNotExist
	}
	return os.Lstat(c.path(blobs, sum))
}
