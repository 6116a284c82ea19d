package encoder_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// TestSplitSectionsOverlap: sections .debug_info.dwo that share their bytes are refused, since many of them would come to far more
// than the file has.
func TestSplitSectionsOverlap(t *testing.T) {
	dir := t.TempDir()
	dwo := read(t, filepath.Join(oddFolder, "a-splittypes5.dwo"))
	f, err := elf.Open(filepath.Join(oddFolder, "a-splittypes5.dwo"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	first, headers := f.Section(".debug_info.dwo"), binary.LittleEndian.Uint64(dwo[40:])
	second := headers + 64*uint64(first.Index+1)
	binary.LittleEndian.PutUint64(dwo[second+24:], first.Off)
	image := filepath.Join(dir, "splittypes5.elf")
	for path, data := range map[string][]byte{filepath.Join(dir, "a-splittypes5.dwo"): dwo, image: read(t, filepath.Join(oddFolder, "splittypes5.elf"))} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := elf.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = encoder.Encode(context.Background(), e, encoder.Options{Features: feature.Default(), DebugRoots: []string{}})
	if err == nil || !strings.Contains(err.Error(), "some of which are those of section .debug_info.dwo too") {
		t.Errorf("got error %v, want one about sections that overlap", err)
	}
}
