package corpus

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Hasher computes SHA-256 sums of open files, and reads each file once. It is safe for concurrent use, and its zero value is ready.
type Hasher struct {
	mu   sync.Mutex
	sums map[input.Version]*sum
}

// A sum is that of one file. The goroutine that holds its lock computes it.
type sum struct {
	mu   sync.Mutex
	done bool
	hex  string
	err  error
}

// Pin hashes the open file of an image and compares the sum with the one that the manifest pins. A difference is a *MismatchError.
// Hashing takes about a second per gigabyte.
func (h *Hasher) Pin(ctx context.Context, f *File, open *input.File) (string, error) {
	got, err := h.Sum(ctx, open)
	if err != nil {
		return "", err
	}
	if want := f.Pins.SHA256; want != "" && want != got {
		return got, &MismatchError{"sha256", got, want, f.Pins.Lock != nil}
	}
	return got, nil
}

// CheckBase compares the sum of the file that a base is read from with the pinned one, if there is one.
// byLock says that it is a lock that has the other one.
func CheckBase(got, want string, byLock bool) error {
	if want != "" && want != got {
		return &MismatchError{"base_sha256", got, want, byLock}
	}
	return nil
}

// Sum returns the SHA-256 of a file in lower-case hex.
func (h *Hasher) Sum(ctx context.Context, f *input.File) (string, error) {
	if sum, inside, err := f.Sum(ctx); inside || err != nil {
		return sum, err
	}
	version, ok := f.Version()
	if !ok || f.Recent() { // equal versions may have different contents
		return Sum(ctx, f)
	}
	h.mu.Lock()
	if h.sums == nil {
		h.sums = map[input.Version]*sum{}
	}
	s := h.sums[version]
	if s == nil {
		s = new(sum)
		h.sums[version] = s
	}
	h.mu.Unlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return s.hex, s.err
	}
	s.hex, s.err = Sum(ctx, f)
	// A cancelled caller says nothing about the file: the next one computes the sum.
	s.done = !errors.Is(s.err, context.Canceled) && !errors.Is(s.err, context.DeadlineExceeded)
	return s.hex, s.err
}

// Sum returns the SHA-256 of a file as it is stored, compressed or not, in lower-case hex.
func Sum(ctx context.Context, f *input.File) (string, error) {
	raw, size := f.Raw()
	sum, err := source.Sum(ctx, raw, size)
	return sum, cmp.Or(f.Unchanged(), err)
}
