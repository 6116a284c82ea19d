package http

import (
	"context"
	"errors"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A disk has room for so many bytes in the parts of a download folder.
type disk struct {
	dir  string
	room int64
}

func (d *disk) write(f *os.File, b []byte, off int64) (int, error) {
	used := off + int64(len(b))
	parts, err := filepath.Glob(filepath.Join(d.dir, "*.part"))
	if err != nil {
		return 0, err
	}
	for _, path := range parts {
		if st, err := os.Stat(path); err == nil && path != f.Name() {
			used += st.Size()
		}
	}
	if used > d.room {
		return 0, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return f.WriteAt(b, off)
}

// TestRoom: a file for which the disk has no room takes none of it from other files, in the same run and in later ones, however it is fetched.
func TestRoom(t *testing.T) {
	large, small := strings.Repeat("large", 200_000), strings.Repeat("small", 50_000)
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		switch r.URL.Path {
		case "/small":
			nethttp.ServeContent(w, r, "small", time.Unix(1_700_000_000, 0), strings.NewReader(small))
		case "/large":
			nethttp.ServeContent(w, r, "large", time.Unix(1_700_000_000, 0), strings.NewReader(large))
		case "/endless":
			var err error
			for err == nil {
				_, err = io.WriteString(w, large)
			}
		}
	}))
	defer server.Close()
	for name, test := range map[string]struct {
		path  string
		whole bool
		want  string
	}{
		"whole":   {"/large", true, ".part: no space left on device: there is no room for a download of 1000000 bytes: free some (see btfbatch cache gc), or set BTFBATCH_CACHE"},
		"parts":   {"/large", false, ".part: no space left on device: there is no room for a download of 1000000 bytes: free some"},
		"endless": {"/endless", true, ".part: no space left on device: there is no room for this download: free some (see btfbatch cache gc), or set BTFBATCH_CACHE"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &disk{t.TempDir(), 500_000}
			for range 2 { // two runs
				c := &Client{Dir: d.dir, write: d.write}
				read := func(path string, whole bool) error {
					f, err := c.open(context.Background(), Request{URL: server.URL + path}, whole)
					if err != nil {
						return err
					}
					defer f.Close()
					_, err = io.Copy(io.Discard, io.NewSectionReader(f, 0, f.Size()))
					return err
				}
				if err := read(test.path, test.whole); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("the large file: got %v, want %s", err, test.want)
				}
				if err := read("/small", test.whole); err != nil {
					t.Errorf("the small file: %v", err)
				}
			}
		})
	}
}

// TestRemoveParts: only what was fetched of incomplete files is removed, if no process fetches it or has done so lately.
func TestRemoveParts(t *testing.T) {
	dir := t.TempDir()
	create := func(name string, size int, age time.Duration) {
		t.Helper()
		path := filepath.Join(dir, name)
		at := time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(path, make([]byte, size), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	for _, old := range []string{"url-aa", "url-bb", "sha256-cc"} {
		create(old+".part", 1<<20, 2*time.Hour)
		create(old+".json", 2, 2*time.Hour)
	}
	create("url-dd.part", 1<<20, time.Minute)
	create("url-ee", 1<<20, 2*time.Hour)
	create("url-ee.json", 2, 2*time.Hour)
	create("x.part", 1<<20, 2*time.Hour)
	unlock, ok := store{dir, "url-bb"}.tryLock()
	if !ok {
		t.Fatal("a lock is taken")
	}
	check := func(idle time.Duration, want int, left string) {
		t.Helper()
		n, freed, err := RemoveParts(dir, idle)
		if n != want || freed < int64(want)<<20 || freed > int64(want)<<21 || err != nil {
			t.Errorf("got %d files, %d bytes, %v, want %d files", n, freed, err, want)
		}
		names, err := filepath.Glob(filepath.Join(dir, "[^l]*"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range names {
			names[i] = filepath.Base(names[i])
		}
		if got := strings.Join(names, " "); got != left {
			t.Errorf("left: %s, want %s", got, left)
		}
	}
	check(time.Hour, 2, "url-bb.json url-bb.part url-dd.part url-ee url-ee.json x.part")
	check(0, 1, "url-bb.json url-bb.part url-ee url-ee.json x.part")
	unlock()
	check(time.Hour, 1, "url-ee url-ee.json x.part")
	if n, freed, err := RemoveParts(filepath.Join(dir, "none"), 0); n != 0 || freed != 0 || err != nil {
		t.Errorf("no folder: got %d, %d, %v", n, freed, err)
	}
}

// TestWaiting: who waits for another process says so once, however often the two take turns.
func TestWaiting(t *testing.T) {
	contents := strings.Repeat("contents", blockSize)
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		nethttp.ServeContent(w, r, "file", time.Unix(1_700_000_000, 0), strings.NewReader(contents))
	}))
	defer server.Close()
	var notices []string
	c := &Client{Dir: t.TempDir(), Notice: func(_, text string) { notices = append(notices, text) }}
	r := Request{URL: server.URL + "/file"}
	f, err := c.open(context.Background(), r, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	other := store{c.Dir, keyOf(r)} // that of another process
	for at := int64(2 * blockSize); at < f.Size(); at += 2 * blockSize {
		unlock, ok := other.tryLock()
		if !ok {
			t.Fatal("the lock is not given back")
		}
		time.AfterFunc(20*time.Millisecond, unlock)
		if _, err := f.ReadAt(make([]byte, 1), at); err != nil {
			t.Fatal(err)
		}
	}
	if len(notices) != 1 || !strings.HasPrefix(notices[0], "waiting for another process") {
		t.Errorf("got %q, want one notice", notices)
	}
}
