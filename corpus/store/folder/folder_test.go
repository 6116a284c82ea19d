package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/store"
	"github.com/btfbatch/btfbatch/corpus/store/address"
)

func open(t *testing.T) (*Folder, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "new", "folder")
	return New(address.Address{Scheme: address.Folder, Path: dir}), dir
}

func put(f *Folder, name, text string, replace bool) error {
	o := store.Bytes(name, "", []byte(text))
	return f.Put(context.Background(), &o, replace)
}

func TestFolder(t *testing.T) {
	f, dir := open(t)
	ctx := context.Background()
	if _, err := f.Sum(ctx, "a"); !errors.Is(err, store.ErrAbsent) {
		t.Errorf("an empty folder: %v", err)
	}
	if err := put(f, "a", "1", false); err != nil {
		t.Fatal(err)
	}
	if err := put(f, "a", "2", false); !errors.Is(err, store.ErrExists) {
		t.Errorf("the name is taken: %v", err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || string(data) != "1" {
		t.Errorf("got %q, %v", data, err)
	}
	if st, err := os.Stat(filepath.Join(dir, "a")); err != nil || st.Mode().Perm()&0o444 != 0o444 {
		t.Errorf("readers cannot read it: %v, %v", st.Mode(), err)
	}
	if err := put(f, "a", "2", true); err != nil {
		t.Fatal(err)
	}
	if sum, err := f.Sum(ctx, "a"); err != nil || sum != store.Bytes("", "", []byte("2")).SHA256 {
		t.Errorf("got %s, %v", sum, err)
	}
	for range 2 {
		if err := f.Remove(ctx, "a"); err != nil {
			t.Error(err)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

// Of several that write one name at once, one succeeds.
func TestOneWins(t *testing.T) {
	f, dir := open(t)
	var wg sync.WaitGroup
	var won atomic.Int32
	for i := range 20 {
		wg.Go(func() {
			switch err := put(f, "a", strings.Repeat(fmt.Sprint(i), 1000), false); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, store.ErrExists):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if data, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || len(data) < 1000 || won.Load() != 1 {
		t.Errorf("%d succeeded, %d bytes, %v", won.Load(), len(data), err)
	}
}

// A file that cannot be read to its end is not there.
func TestHalf(t *testing.T) {
	f, dir := open(t)
	o := store.Bytes("a", "", []byte("1"))
	o.Open = func() (io.ReadSeekCloser, error) { return half{}, nil }
	if err := f.Put(context.Background(), &o, false); !errors.Is(err, errHalf) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := store.Bytes("a", "", []byte("1"))
	if err := f.Put(ctx, &b, false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

var errHalf = errors.New("half")

type half struct{}

func (half) Read(p []byte) (int, error)     { p[0] = 'x'; return 1, errHalf }
func (half) Seek(int64, int) (int64, error) { return 0, nil }
func (half) Close() error                   { return nil }

// What killed processes left goes, and what others write stays.
func TestLeftovers(t *testing.T) {
	f, dir := open(t)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{".btfbatch-1": 2 * time.Hour, ".btfbatch-2": time.Minute, "other": 2 * time.Hour} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(f, "a", "1", false); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 3 || len(hidden) != 1 || filepath.Base(hidden[0]) != ".btfbatch-2" {
		t.Errorf("got %q, %q, %v", left, hidden, err)
	}
}
