package encoder_test

import (
	"context"
	stdelf "debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// TestSplitSectionsOverlap: overlapping sections .debug_info.dwo are refused, because many of them could expand to far more bytes than the file
// has.
func TestSplitSectionsOverlap(t *testing.T) {
	dir := t.TempDir()
	dwo := read(t, filepath.Join(unusualFolder, "a-splittypes5.dwo"))
	f, err := elf.Open(filepath.Join(unusualFolder, "a-splittypes5.dwo"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	first, headers := f.Section(".debug_info.dwo"), binary.LittleEndian.Uint64(dwo[40:])
	second := headers + 64*uint64(first.Index+1)
	binary.LittleEndian.PutUint64(dwo[second+24:], first.Off)
	image := filepath.Join(dir, "splittypes5.elf")
	for path, data := range map[string][]byte{filepath.Join(dir, "a-splittypes5.dwo"): dwo, image: read(t, filepath.Join(unusualFolder, "splittypes5.elf"))} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := elf.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = (&encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, DebugRoots: []string{}}).Encode(context.Background(), e)
	if err == nil || !strings.Contains(err.Error(), "overlap section .debug_info.dwo") {
		t.Errorf("got error %v, want one about sections that overlap", err)
	}
}

// writeSplit writes an image of skeletons with the given DWO IDs, which all name one file, and that file with n units.
func writeSplit(t *testing.T, numbers []uint64, n int) (image string) {
	t.Helper()
	b := synth.New(synth.Target{DWARF: 5})
	for _, id := range numbers {
		b.CU("skel.c", synth.C11, synth.Skeleton(id)).Add(synth.Str(0x76, synth.FormStrp, "many.dwo"))
	}
	var info []byte
	for id := range uint64(n) {
		dies := append([]byte{1, 0x0c, 2}, fmt.Sprintf("int%d\x00\x04\x05\x00", id)...)
		info = binary.LittleEndian.AppendUint32(info, uint32(16+len(dies)))
		info = append(info, 5, 0, 5, 8, 0, 0, 0, 0)
		info = append(binary.LittleEndian.AppendUint64(info, id), dies...)
	}
	dwo := synth.New(synth.Target{DWARF: 5})
	dwo.Section(".debug_info.dwo", stdelf.SHT_PROGBITS, 0, 0, info)
	dwo.Section(".debug_abbrev.dwo", stdelf.SHT_PROGBITS, 0, 0, []byte{1, 0x11, 1, 0x13, 0x0b, 0, 0, 2, 0x24, 0, 0x03, 0x08, 0x0b, 0x0b, 0x3e, 0x0b, 0, 0, 0})
	dir := t.TempDir()
	image = filepath.Join(dir, "image.elf")
	for path, data := range map[string][]byte{filepath.Join(dir, "many.dwo"): dwo.Bytes(), image: b.Bytes()} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return image
}

func encodeSplit(t *testing.T, image string) (*encoder.Result, error) {
	t.Helper()
	f, err := elf.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return (&encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, DebugRoots: []string{}, Workers: 2}).Encode(context.Background(), f)
}

// TestSplitMany: a file with the contents of many units is not read or searched again for each of them.
func TestSplitMany(t *testing.T) {
	const n = 16000
	var numbers []uint64
	for id := range uint64(n) {
		numbers = append(numbers, id)
	}
	image := writeSplit(t, numbers, n)
	began := time.Now()
	res, err := encodeSplit(t, image)
	if err != nil {
		t.Fatal(err)
	}
	if res.Object.Len() != n {
		t.Errorf("got %d types, want %d", res.Object.Len(), n)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestSplitShared: contents that are named by too many skeletons are refused.
func TestSplitShared(t *testing.T) {
	numbers := make([]uint64, 17)
	_, err := encodeSplit(t, writeSplit(t, numbers, 1))
	if err == nil || !strings.Contains(err.Error(), "CU 16: .debug_info+0x") || !strings.Contains(err.Error(), "more than 16 skeletons name the contents of unit") {
		t.Errorf("got error %v", err)
	}
	if _, err := encodeSplit(t, writeSplit(t, numbers[:16], 1)); err != nil {
		t.Errorf("16 of them: got error %v", err)
	}
}
