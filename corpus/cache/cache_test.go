package cache

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func open(t *testing.T) *Cache {
	t.Helper()
	c, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// put stores a result with one blob.
func put(t *testing.T, c *Cache, name, contents string) (key string) {
	t.Helper()
	sum, err := c.PutBlob([]byte(contents))
	if err != nil {
		t.Fatal(err)
	}
	key = Sum([]byte(name))
	if err := c.Put(key, []byte(fmt.Sprintf("{%q:%q}", "is", sum)), []string{sum}); err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPutAndGet(t *testing.T) {
	c := open(t)
	if _, err := c.Get(Sum([]byte("a"))); !errors.Is(err, ErrAbsent) {
		t.Errorf("an empty cache: %v", err)
	}
	key := put(t, c, "a", "contents")
	value, err := c.Get(key)
	if want := `{"is":"` + Sum([]byte("contents")) + `"}`; err != nil || string(value) != want {
		t.Errorf("got %s, %v, want %s", value, err, want)
	}
	if data, err := c.Blob(Sum([]byte("contents"))); err != nil || string(data) != "contents" {
		t.Errorf("got %q, %v", data, err)
	}
	for _, wrong := range []string{"", "ab", "../../../etc/passwd", strings.Repeat("A", 64), strings.Repeat("/", 64)} {
		if _, err := c.Blob(wrong); !errors.Is(err, ErrAbsent) {
			t.Errorf("blob %q: %v", wrong, err)
		}
		if _, err := c.Get(wrong); !errors.Is(err, ErrAbsent) {
			t.Errorf("entry %q: %v", wrong, err)
		}
	}
}

// An entry under the name of another one is damaged, though its text is whole.
func TestExchanged(t *testing.T) {
	c := open(t)
	a, b := put(t, c, "a", "1"), put(t, c, "b", "2")
	if err := os.MkdirAll(filepath.Dir(c.path(entries, b)), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(c.path(entries, a), c.path(entries, b)); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Get(b); !damaged(err) {
		t.Errorf("got %s, %v", v, err)
	}
}

func damaged(err error) bool {
	d := (*DamagedError)(nil)
	return errors.As(err, &d)
}

// TestDamage damages files of a cache at random places. Whatever is taken after that is what was put.
func TestDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 100 {
		c := open(t)
		contents := strings.Repeat("contents ", 20)
		key, sum := put(t, c, "a", contents), Sum([]byte(contents))
		value, err := c.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		path := c.path(blobs, sum)
		if round%2 == 0 {
			path = c.path(entries, key)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		switch i := r.IntN(len(data)); r.IntN(4) {
		case 0:
			data[i] ^= 1 << r.IntN(8)
		case 1:
			data = data[:i]
		case 2:
			data = append(data, 0)
		case 3:
			data = slices.Insert(data, i, data[(i+1)%len(data)]^1)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		got, errEntry := c.Get(key)
		blob, errBlob := c.Blob(sum)
		if errEntry == nil && !bytes.Equal(got, value) || errBlob == nil && string(blob) != contents {
			t.Fatalf("round %d: took a damaged file: %s, %q", round, got, blob)
		}
		if !damaged(errEntry) && !damaged(errBlob) {
			t.Fatalf("round %d: damage was not found: %v, %v", round, errEntry, errBlob)
		}
		put(t, c, "a", contents)
		if again, err := c.Get(key); err != nil || !bytes.Equal(again, value) {
			t.Fatalf("round %d: after it was made again: %v", round, err)
		}
		if blob, err := c.Blob(sum); err != nil || string(blob) != contents {
			t.Fatalf("round %d: after it was made again: %v", round, err)
		}
	}
}

// A file counts as known only in the state in which it was read, and only if it had been left alone before.
func TestRecall(t *testing.T) {
	c := open(t)
	now := time.Now()
	sum := Sum([]byte("x"))
	old := State{"dev.inode.size", now.Add(-time.Hour)}
	for _, row := range []struct {
		name          string
		recorded, is  State
		read          time.Time
		known, counts bool
	}{
		{"the same", old, old, now, true, true},
		{"another size", old, State{"dev.inode.other", old.Changed}, now, true, false},
		{"another time", old, State{old.ID, old.Changed.Add(1)}, now, true, false},
		{"read right after it was written", State{old.ID, now.Add(-time.Second)}, State{old.ID, now.Add(-time.Second)}, now, true, false},
		{"read some time after it was written", State{old.ID, now.Add(-Settling)}, State{old.ID, now.Add(-Settling)}, now, true, true},
		{"written in the future", State{old.ID, now.Add(time.Hour)}, State{old.ID, now.Add(time.Hour)}, now, true, false},
		{"no state", State{"", old.Changed}, State{"", old.Changed}, now, false, false},
	} {
		path := "folder/" + row.name
		if err := c.Remember(path, row.recorded, row.read, sum, "it"); err != nil {
			t.Fatal(err)
		}
		r, current, err := c.Recall(path, row.is)
		if known := err == nil && r.SHA256 == sum && r.Holds == "it"; known != row.known || current != row.counts {
			t.Errorf("%s: known %t, current %t (%v)", row.name, known, current, err)
		}
	}
}

func TestGC(t *testing.T) {
	c := open(t)
	for i := range 5 {
		key := put(t, c, fmt.Sprint(i), strings.Repeat(fmt.Sprint(i), 1000))
		used := time.Now().Add(time.Duration(i-10) * time.Minute)
		if err := os.Chtimes(c.path(entries, key), used, used); err != nil {
			t.Fatal(err)
		}
	}
	both := put(t, c, "shares a blob", strings.Repeat("0", 1000))
	if _, err := c.Get(Sum([]byte("1"))); err != nil { // it is used now
		t.Fatal(err)
	}
	n, freed, err := c.GC(5000)
	if err != nil || freed == 0 || n == 0 {
		t.Fatalf("%d results, %d bytes, %v", n, freed, err)
	}
	i, err := c.Info()
	if err != nil || i.Bytes > 5000 || i.Unreachable != 0 {
		t.Errorf("%+v, %v", i, err)
	}
	for _, key := range []string{both, Sum([]byte("1"))} {
		if _, err := c.Get(key); err != nil {
			t.Errorf("what was used last is gone: %v", err)
		}
	}
	if _, err := c.Blob(Sum([]byte(strings.Repeat("0", 1000)))); err != nil {
		t.Errorf("a blob that another result names is gone: %v", err)
	}
	if _, err := c.Get(Sum([]byte("0"))); !errors.Is(err, ErrAbsent) {
		t.Errorf("what was not used for the longest time: %v", err)
	}
	if _, _, err := c.GC(0); err != nil {
		t.Fatal(err)
	}
	if i, err := c.Info(); err != nil || i != (Info{}) {
		t.Errorf("after GC of everything: %+v, %v", i, err)
	}
}

func TestVerify(t *testing.T) {
	c := open(t)
	good, bad, lost := put(t, c, "good", "1"), put(t, c, "bad", "2"), put(t, c, "lost", "3")
	if _, wrong, err := c.Verify(); err != nil || wrong != nil {
		t.Fatalf("a good cache: %v, %v", wrong, err)
	}
	if err := os.WriteFile(c.path(blobs, Sum([]byte("2"))), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(c.path(blobs, Sum([]byte("3")))); err != nil {
		t.Fatal(err)
	}
	n, wrong, err := c.Verify()
	slices.Sort(wrong)
	want := []string{c.path(blobs, Sum([]byte("2"))), c.path(entries, bad), c.path(entries, lost)}
	slices.Sort(want)
	if err != nil || n != 5 || !slices.Equal(wrong, want) {
		t.Errorf("checked %d: %v, %v, want %v", n, wrong, err, want)
	}
	if _, err := c.Get(good); err != nil {
		t.Error(err)
	}
	if _, wrong, err := c.Verify(); err != nil || wrong != nil {
		t.Errorf("after it was repaired: %v, %v", wrong, err)
	}
}

// Files of a process that was killed go, those of one that writes stay.
func TestLeftovers(t *testing.T) {
	c := open(t)
	f, err := c.create()
	if err != nil {
		t.Fatal(err)
	}
	defer c.drop(f)
	left := filepath.Join(c.dir, tmp, "123")
	if err := os.WriteFile(left, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(left, long, long); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Dir(filepath.Dir(c.dir))); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("a leftover is there")
	}
	if _, err := os.Stat(f.Name()); err != nil {
		t.Error("the file of another process is gone")
	}
}

// Many users put and take the same entries, while others remove them.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for u := range 5 {
		wg.Go(func() {
			c, err := Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 40 {
				contents := strings.Repeat(fmt.Sprint(i%7), 100)
				if sum, err := c.PutBlob([]byte(contents)); err != nil {
					t.Error(err)
				} else if data, err := c.Blob(sum); err == nil && string(data) != contents || err != nil && !errors.Is(err, ErrAbsent) {
					t.Errorf("%q, %v", data, err)
				}
				key := Sum([]byte(contents))
				if err := c.Put(key, []byte(`"`+contents+`"`), []string{key}); err != nil {
					t.Error(err)
				} else if v, err := c.Get(key); err == nil && string(v) != `"`+contents+`"` || err != nil && !errors.Is(err, ErrAbsent) {
					t.Errorf("%s, %v", v, err)
				}
				if u == 0 && i%10 == 0 {
					if _, _, err := c.GC(int64(i)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}
