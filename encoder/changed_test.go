package encoder_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// TestChanged: if a file of an image is changed while it is read, that is the error, and not what was found in it. A debug file counts as well, also if
// nothing wrong was found.
func TestChanged(t *testing.T) {
	dir := t.TempDir()
	write := func(path, contents string) string {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.WriteFile(path, read(t, contents), 0o600); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		return path
	}
	open := func(path string) *elf.File {
		t.Helper()
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	put := func(path string, b []byte, off uint64) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteAt(b, int64(off))
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	image := write("image.elf", filepath.Join(imageFolder, "gcc12-x86_64-dwarf5-based.elf"))
	zeroed := write("zeroed.elf", filepath.Join(imageFolder, "gcc12-x86_64-dwarf5-based.elf"))
	linked := write("debuglink.elf", filepath.Join(unusualFolder, "debuglink.elf"))
	beside := write("debuglink.debug", filepath.Join(unusualFolder, ".debug", "debuglink.debug"))
	ctx := context.Background()
	for name, test := range map[string]struct {
		image, changed string
		change         func(f *elf.File)
	}{
		"the image": {image, image, func(f *elf.File) { put(image, make([]byte, 64), f.Section(".debug_info").Off) }},
		"all units": {zeroed, zeroed, func(f *elf.File) {
			info := f.Section(".debug_info")
			put(zeroed, make([]byte, info.Size), info.Off)
		}},
		"the debug file": {linked, beside, nil},
	} {
		f := open(test.image)
		opt := encoder.Encoder{Workers: 1}
		if test.change != nil {
			test.change(f)
		} else { // when it has been opened
			opt.OnProgress = func(uint64, uint64) { put(test.changed, []byte{0}, 0xa) }
		}
		if _, err := opt.Encode(ctx, f); !errors.Is(err, input.ErrChanged) {
			t.Errorf("%s: got %v, want %v", name, err, input.ErrChanged)
		}
	}
}
