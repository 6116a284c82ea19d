package http

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// The download folder holds, for each file:
//
//	KEY        the whole file; may be a link to that of another key
//	KEY.part   a file of which some blocks have been fetched; the others are holes
//	KEY.json   where it comes from, its size, and which blocks are there
//	KEY.missing  which server did not have the file, and when it said so
//	lock-XX    taken by the process that fetches files whose keys end in XX
//
// A process that was killed leaves at most KEY.part, which the next one continues. KEY exists only if it is complete and has the wanted digest.

const blockSize = 64 << 10

// A meta is what is known about a file, as it is stored in KEY.json.
type meta struct {
	URL      string    `json:"url"`
	Size     int64     `json:"size"`
	ETag     string    `json:"etag,omitempty"`
	Modified string    `json:"last_modified,omitempty"`
	SHA256   string    `json:"sha256,omitempty"` // of a whole file
	Blocks   bitmap    `json:"blocks,omitempty"` // of a part
	Boot     string    `json:"boot,omitempty"`   // blocks may be lost if the system was started again since; empty: they are on the disk
	Created  time.Time `json:"created"`          // tells apart parts of one name
}

// validator returns the value for If-Range: the entity tag, if it is a strong one, or the date. Empty, the server cannot say whether the file is
// still the same.
func (m *meta) validator() string {
	if m.ETag != "" && !strings.HasPrefix(m.ETag, "W/") {
		return m.ETag
	}
	return m.Modified
}

func (m *meta) size() int64 {
	if m == nil {
		return 0
	}
	return m.Size
}

// same reports whether two answers of a server are about the same file, as far as the server says.
func (m *meta) same(n *meta) bool {
	return m.ETag == n.ETag && (m.ETag != "" || m.Modified == n.Modified) && (m.Size == n.Size || m.Size == 0 || n.Size == 0)
}

// A bitmap says which blocks of a file are there.
type bitmap []byte

func (b bitmap) has(i int64) bool { return i/8 < int64(len(b)) && b[i/8]>>(i%8)&1 != 0 }

func (b *bitmap) set(i int64) {
	for i/8 >= int64(len(*b)) {
		*b = append(*b, 0)
	}
	(*b)[i/8] |= 1 << (i % 8)
}

// add adds the blocks of another bitmap.
func (b *bitmap) add(other bitmap) {
	for i, bits := range other {
		if i == len(*b) {
			*b = append(*b, 0)
		}
		(*b)[i] |= bits
	}
}

func (b bitmap) count() (n int64) {
	for _, x := range b {
		n += int64(bits.OnesCount8(x))
	}
	return n
}

// missing returns the first run of blocks in [off, end) that are not there, as offsets of bytes, and whether there is one. end is a multiple of
// the size of a block, or the end of the file.
func (b bitmap) missing(off, end int64) (from, to int64, ok bool) {
	last := (end + blockSize - 1) / blockSize
	i := off / blockSize
	for i < last && b.has(i) {
		i++
	}
	if i >= last || off >= end {
		return 0, 0, false
	}
	k := i
	for k < last && !b.has(k) {
		k++
	}
	return i * blockSize, min(k*blockSize, end), true
}

// A store is the place of one file in the download folder.
type store struct {
	dir, key string
}

func (s store) path(suffix string) string { return filepath.Join(s.dir, s.key+suffix) }

// lockName is the path of the file that the process holds that fetches the file.
func (s store) lockName() string { return filepath.Join(s.dir, "lock-"+s.key[len(s.key)-2:]) }

// lock takes the lock of the file. waiting is called if another process has it.
func (s store) lock(ctx context.Context, waiting func()) (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, folderError(err)
	}
	l := flock.New(s.lockName())
	ok, err := l.TryLock()
	if err == nil && !ok {
		waiting()
		_, err = l.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		return nil, folderError(err)
	}
	return func() { _ = l.Unlock() }, nil
}

// folderError says how to use another download folder.
func folderError(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &hintError{err, "set BTFBATCH_CACHE to a folder for downloads"}
	case noRoom(err):
		return roomError(err, "downloads")
	}
	return err
}

// noRoom reports whether the disk with the download folder is full.
func noRoom(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// roomError says what to do about a full disk.
func roomError(err error, what string) error {
	return &hintError{err, "there is no room for " + what + ": free some (see btfbatch cache gc), or set BTFBATCH_CACHE to a folder with more"}
}

// load reads what is known about the file. An unreadable KEY.json is as good as none.
func (s store) load() (m meta, ok bool) {
	text, err := os.ReadFile(s.path(".json"))
	if err != nil || json.Unmarshal(text, &m) != nil || m.Size < 0 || m.Boot != "" && m.Boot != bootID() {
		return meta{}, false
	}
	return m, true
}

// save writes KEY.json.
func (s store) save(m *meta) error { return s.saveAs(".json", m) }

// absence reads KEY.missing. What cannot be read is not known.
func (s store) absence() (a absence, ok bool) {
	text, err := os.ReadFile(s.path(".missing"))
	return a, err == nil && json.Unmarshal(text, &a) == nil
}

// saveAs writes one of the files of the key as JSON.
func (s store) saveAs(suffix string, what any) error {
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, s.key+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path(suffix))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// remove removes all files of the key.
func (s store) remove() {
	for _, suffix := range []string{".json", ".part", ".missing", ""} { // without KEY.json, the others mean nothing
		_ = os.Remove(s.path(suffix)) // most do not exist
	}
}

// bootID identifies the time since the system was started. It is empty where the system does not say.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// open opens the whole file.
func (s store) open() (*os.File, error) { return os.Open(s.path("")) }

// openPart opens the part, or makes it.
func (s store) openPart(flags int) (*os.File, error) {
	if flags&os.O_CREATE != 0 {
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return nil, folderError(err)
		}
	}
	f, err := os.OpenFile(s.path(".part"), os.O_RDWR|flags, 0o600)
	return f, folderError(err)
}

// link gives the whole file another key as well, in place of what has that key.
func (s store) link(other store) error {
	a, err := os.Stat(s.path(""))
	if err != nil {
		return err
	}
	if b, err := os.Stat(other.path("")); err == nil {
		if os.SameFile(a, b) {
			return nil
		}
		if err := os.Remove(other.path("")); err != nil {
			return err
		}
	}
	return os.Link(s.path(""), other.path(""))
}

// finish makes the part the whole file.
func (s store) finish() error { return os.Rename(s.path(".part"), s.path("")) }

// Limits of the download folder.
const (
	maxAge   = 7 * 24 * time.Hour // since the last use
	maxTotal = 16 << 30           // bytes
)

// sweep removes files from the download folder that have not been used for a while, and the oldest ones if there are too many. Files that are
// being fetched are left alone. Errors are ignored: sweeping is only a courtesy.
func sweep(dir string) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	type entry struct {
		key  string
		used time.Time
		size int64
	}
	entries := map[string]*entry{}
	for _, f := range list {
		info, err := f.Info()
		key, _, _ := strings.Cut(f.Name(), ".")
		if err != nil || !isKey(key) {
			continue
		}
		e := entries[key]
		if e == nil {
			e = &entry{key: key}
			entries[key] = e
		}
		e.size += info.Size()
		if info.ModTime().After(e.used) {
			e.used = info.ModTime()
		}
	}
	for total, now := int64(0), time.Now(); len(entries) > 0; {
		var newest *entry
		for _, e := range entries {
			if newest == nil || e.used.After(newest.used) {
				newest = e
			}
		}
		delete(entries, newest.key)
		if total += newest.size; total <= maxTotal && now.Sub(newest.used) < maxAge {
			continue
		}
		if s := (store{dir, newest.key}); s.tryRemove() {
			total -= newest.size
		}
	}
}

// RemoveParts removes what was fetched of files that are not complete, from a download folder. Files that a process is fetching are left alone, and so
// are those that a process has fetched a part of within the given time. It returns how many files it removed parts of, and how many bytes they took.
func RemoveParts(dir string, idle time.Duration) (n int, freed int64, err error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	for _, f := range list {
		key, ok := strings.CutSuffix(f.Name(), ".part")
		if !ok || !isKey(key) {
			continue
		}
		info, err := f.Info()
		if err != nil || time.Since(info.ModTime()) < idle {
			continue // without information, it was removed
		}
		if s := (store{dir, key}); s.tryRemove() {
			n, freed = n+1, freed+int64(input.StoredSize(info))
		}
	}
	return n, freed, err
}

// isKey reports whether a name in the download folder is that of a file.
func isKey(name string) bool {
	return strings.HasPrefix(name, "url-") || strings.HasPrefix(name, "sha256-")
}

// tryLock takes the lock of the file if no other process has it.
func (s store) tryLock() (unlock func(), ok bool) {
	l := flock.New(s.lockName())
	if ok, err := l.TryLock(); err != nil || !ok {
		return nil, false
	}
	return func() { _ = l.Unlock() }, true
}

// tryRemove removes all files of the key, unless a process is fetching it.
func (s store) tryRemove() bool {
	unlock, ok := s.tryLock()
	if !ok {
		return false
	}
	defer unlock()
	s.remove()
	temporary, _ := filepath.Glob(s.path(".*.tmp")) // the pattern is valid
	for _, path := range temporary {
		_ = os.Remove(path)
	}
	return true
}
