package cache

import (
	"errors"
	"strings"
	"testing"
)

// A fake is a store in memory.
type fake struct {
	entries, blobs map[string]string
	err            error // of every call
	calls          int
}

func newFake() *fake { return &fake{entries: map[string]string{}, blobs: map[string]string{}} }

func (f *fake) get(from map[string]string, name string) ([]byte, error) {
	f.calls++
	if f.err != nil {
		return nil, f.err
	}
	text, ok := from[name]
	if !ok {
		return nil, ErrAbsent
	}
	return []byte(text), nil
}

func (f *fake) Entry(key string) ([]byte, error) { return f.get(f.entries, key) }
func (f *fake) Blob(sum string) ([]byte, error)  { return f.get(f.blobs, sum) }

func (f *fake) Put(key string, text []byte, sums []string, blob func(string) ([]byte, error)) error {
	f.calls++
	for _, sum := range sums {
		data, err := blob(sum)
		if err != nil {
			return err
		}
		f.blobs[sum] = string(data)
	}
	f.entries[key] = string(text)
	return f.err
}

func shared(t *testing.T, f *fake) *Cache {
	t.Helper()
	c := open(t)
	c.Behind(f)
	return c
}

func TestShared(t *testing.T) {
	f := newFake()
	first, second := shared(t, f), shared(t, f)
	key := put(t, first, "a", "contents")
	sum := Sum([]byte("contents"))
	if _, err := second.Get(key); !errors.Is(err, ErrAbsent) {
		t.Errorf("before it is shared: %v", err)
	}
	if err := first.Share(key); err != nil {
		t.Fatal(err)
	}
	if v, err := second.Get(key); err != nil || string(v) != `{"is":"`+sum+`"}` {
		t.Errorf("got %s, %v", v, err)
	}
	calls := f.calls
	if _, err := second.Get(key); err != nil || f.calls != calls {
		t.Errorf("what is in the folder was asked for: %v", err)
	}
	if data, err := second.Blob(sum); err != nil || string(data) != "contents" || f.calls != calls {
		t.Errorf("got %q, %v", data, err)
	}
	if _, wrong, err := second.Verify(); err != nil || wrong != nil {
		t.Errorf("the folder is not whole: %v, %v", wrong, err)
	}
}

// Nothing is taken that is not what was put. What is missing or wrong is absent, and is not in the folder.
func TestSharedDamage(t *testing.T) {
	for name, harm := range map[string]func(f *fake, key, sum string){
		"the entry is damaged":           func(f *fake, key, _ string) { f.entries[key] += "x" },
		"the entry is empty":             func(f *fake, key, _ string) { f.entries[key] = "" },
		"the entry is of another result": func(f *fake, key, _ string) { f.entries[key] = string(seal(Sum(nil), []byte("{}"))) },
		"the entry is not JSON":          func(f *fake, key, _ string) { f.entries[key] = string(seal(key, []byte("x"))) },
		"the entry names no digest":      func(f *fake, key, _ string) { f.entries[key] = string(seal(key, []byte(`{"blobs":["../x"]}`))) },
		"the blob is damaged":            func(f *fake, _, sum string) { f.blobs[sum] += "x" },
		"the blob is missing":            func(f *fake, _, sum string) { delete(f.blobs, sum) },
	} {
		f := newFake()
		first, second := shared(t, f), shared(t, f)
		key := put(t, first, "a", "contents")
		if err := first.Share(key); err != nil {
			t.Fatal(err)
		}
		harm(f, key, Sum([]byte("contents")))
		v, err := second.Get(key)
		_, foreign := errors.AsType[*ForeignError](err)
		if !foreign && !errors.Is(err, ErrAbsent) || foreign != !strings.Contains(name, "missing") && !strings.Contains(name, "no digest") {
			t.Errorf("%s: got %s, %v", name, v, err)
		}
		second.store = nil
		if _, err := second.Get(key); !errors.Is(err, ErrAbsent) {
			t.Errorf("%s: it is in the folder: %v", name, err)
		}
		// It is made again and shared, which repairs the store.
		second.store = f
		put(t, second, "a", "contents")
		if err := second.Share(key); err != nil {
			t.Error(err)
		}
		if _, err := shared(t, f).Get(key); err != nil {
			t.Errorf("%s: after it was made again: %v", name, err)
		}
	}
}

// A store that fails is reported once, and not asked again.
func TestSharedFails(t *testing.T) {
	f := newFake()
	c := shared(t, f)
	key := put(t, c, "a", "contents")
	f.err = errors.New("broken")
	if err := c.Share(key); err == nil || !strings.Contains(err.Error(), "results are not shared any more in this run: broken") {
		t.Errorf("got %v", err)
	}
	calls := f.calls
	if _, err := c.Get(Sum([]byte("b"))); !errors.Is(err, ErrAbsent) {
		t.Errorf("got %v", err)
	}
	if err := c.Share(key); err != nil || f.calls != calls {
		t.Errorf("got %v, and the store was asked", err)
	}
	if _, err := c.Get(key); err != nil {
		t.Errorf("what is in the folder is not taken: %v", err)
	}
}
