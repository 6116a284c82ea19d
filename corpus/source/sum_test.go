package source_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/source"
)

// TestSum: the digest is that of exactly the stated bytes. Fewer bytes are an error, and so is a context that has ended.
func TestSum(t *testing.T) {
	text := strings.Repeat("btf ", 1<<20)
	for _, size := range []int{0, 1, 1 << 20, len(text)} {
		want := sha256.Sum256([]byte(text[:size]))
		if got, err := source.Sum(context.Background(), strings.NewReader(text), int64(size)); err != nil || got != hex.EncodeToString(want[:]) {
			t.Errorf("%d bytes: got %s, %v, want %x", size, got, err, want)
		}
	}
	if got, err := source.Sum(context.Background(), strings.NewReader(text), int64(len(text)+1)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("one byte is missing: got %s, %v", got, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got, err := source.Sum(ctx, strings.NewReader(text), int64(len(text))); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %s, %v", got, err)
	}
}
