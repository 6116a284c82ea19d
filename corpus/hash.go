package corpus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Hasher computes SHA-256 sums, of each file once. It may be used from several goroutines; its zero value is ready.
type Hasher struct {
	mu   sync.Mutex
	sums map[string]*sum
}

// A sum is that of one file. Who holds its lock computes it.
type sum struct {
	mu   sync.Mutex
	done bool
	hex  string
	err  error
}

// Pins are the sums of an item's files.
type Pins struct {
	SHA256     string
	BaseSHA256 string // of BaseFile; empty without a base
}

// Pinned tells whether the manifest gives sums to compare with, so that Pin can fail by more than reading.
func (it *Item) Pinned() bool { return it.Image.SHA256 != "" || it.Image.BaseSHA256 != "" }

// Pin hashes an item's file and that of its base and compares them with what the manifest pins; a difference is a
// *MismatchError. The build id was compared by Resolve. Hashing takes about a second for each gigabyte.
func (h *Hasher) Pin(ctx context.Context, it *Item) (Pins, error) {
	var p Pins
	var err error
	if p.SHA256, err = h.Sum(ctx, it.Image.Path); err != nil {
		return p, err
	}
	if it.BaseFile != "" {
		if p.BaseSHA256, err = h.Sum(ctx, it.BaseFile); err != nil {
			return p, fmt.Errorf("base: %w", err)
		}
	}
	if want := it.Image.SHA256; want != "" && want != p.SHA256 {
		return p, &MismatchError{"sha256", p.SHA256, want}
	}
	if want := it.Image.BaseSHA256; want != "" && want != p.BaseSHA256 {
		return p, &MismatchError{"base_sha256", p.BaseSHA256, want}
	}
	return p, nil
}

// Sum is the SHA-256 of a file in lower-case hex.
func (h *Hasher) Sum(ctx context.Context, path string) (string, error) {
	h.mu.Lock()
	if h.sums == nil {
		h.sums = map[string]*sum{}
	}
	s := h.sums[path]
	if s == nil {
		s = new(sum)
		h.sums[path] = s
	}
	h.mu.Unlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return s.hex, s.err
	}
	s.hex, s.err = sumFile(ctx, path)
	// One caller's cancellation says nothing about the file.
	s.done = !errors.Is(s.err, context.Canceled) && !errors.Is(s.err, context.DeadlineExceeded)
	return s.hex, s.err
}

func sumFile(ctx context.Context, path string) (string, error) {
	if _, err := input.Regular(path); err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	buf := make([]byte, 1<<20)
	if _, err := io.CopyBuffer(struct{ io.Writer }{hash}, cancelled{ctx, f}, buf); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// cancelled reads until its context ends.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c cancelled) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
