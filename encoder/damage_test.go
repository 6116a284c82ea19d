package encoder_test

import (
	"bytes"
	"debug/dwarf"
	stdelf "debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// damaged are the images to damage: of both compilers, both byte orders and both word sizes, with compressed sections, and relocatable.
var damaged = []string{"gcc12-x86_64-dwarf5-zerobased", "clang19-s390x-dwarf4-based", "gcc12-i386-dwarf5-module", "gcc12-x86_64-dwarf5-zlib", "gcc12-arm-dwarf5-based"}

// place matches the place in an error: a section or header, and an offset.
var place = regexp.MustCompile(`(\.[A-Za-z_0-9.]+|ELF header|section headers|section \d+)\+0x[0-9a-f]+: `)

// judgeError checks the error of a damaged image: it must name a place, and must not come from a panic.
func judgeError(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || errors.Is(err, encoder.ErrNoDWARF) || errors.Is(err, encoder.ErrNoSymbols) || errors.Is(err, encoder.ErrNoTypes) {
		return
	}
	if text := err.Error(); strings.Contains(text, "internal error") || strings.Contains(text, "goroutine") {
		t.Errorf("%s: a panic: %v", what, err)
	} else if !place.MatchString(text) {
		t.Errorf("%s: error names no place: %v", what, err)
	}
}

// TestFlippedBits: no flipped bit makes the encoder panic, and every error has a place.
func TestFlippedBits(t *testing.T) {
	rounds := 600
	if testing.Short() {
		rounds = 100
	}
	for _, name := range damaged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := read(t, imagePath(t, name))
			r := rand.New(rand.NewPCG(7, uint64(len(good))))
			failed := 0
			for range rounds {
				image := bytes.Clone(good)
				at, bit := r.IntN(len(image)), byte(1)<<r.IntN(8)
				image[at] ^= bit
				_, err := encodeBytes(image, likePeer())
				if err != nil {
					failed++
				}
				judgeError(t, fmt.Sprintf("byte %#x, bit %#x", at, bit), err)
			}
			t.Logf("%d of %d flips are errors", failed, rounds)
		})
	}
}

// TestTruncatedImages: an image that is cut anywhere gives an error. Its first part is never encoded as if it were the whole image.
func TestTruncatedImages(t *testing.T) {
	for _, name := range damaged {
		good := read(t, imagePath(t, name))
		for n := 0; n < len(good); n += 1 + len(good)/300 {
			_, err := encodeBytes(good[:n:n], likePeer())
			if err == nil {
				t.Errorf("%s: %d of %d bytes are encoded", name, n, len(good))
			}
			judgeError(t, name, err)
		}
	}
}

// TestTruncatedSections: a debug section that is cut anywhere gives an error.
func TestTruncatedSections(t *testing.T) {
	const name = "gcc12-x86_64-dwarf5-zerobased"
	good, golden := read(t, imagePath(t, name)), read(t, filepath.Join(imageFolder, name+".btf.golden"))
	f, err := elf.NewFile(bytes.NewReader(good), uint64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	headers := binary.LittleEndian.Uint64(good[40:])
	for _, section := range []string{".debug_info", ".debug_abbrev", ".debug_str"} {
		s := f.Section(section)
		for size := uint64(0); size < s.Size; size += 1 + s.Size/200 {
			image := bytes.Clone(good)
			binary.LittleEndian.PutUint64(image[headers+64*uint64(s.Index)+32:], size)
			res, err := encodeBytes(image, likePeer())
			if err == nil && !harmless(section, f, size, res, golden) {
				t.Errorf("%s of %d instead of %d bytes: encoded without an error", section, size, s.Size)
			}
			judgeError(t, section, err)
		}
	}
}

// harmless reports whether a cut need not give an error. A reader cannot notice a cut of .debug_info between two units, and the end of .debug_str
// may contain only strings that are not used.
func harmless(section string, f *elf.File, size uint64, res *encoder.Result, golden []byte) bool {
	data, err := f.Data(f.Section(section))
	if err != nil {
		return false
	}
	switch section {
	case ".debug_info":
		off := uint64(0)
		for off < size {
			off += 4 + uint64(binary.LittleEndian.Uint32(data[off:]))
		}
		return off == size
	case ".debug_str":
		return bytes.Equal(res.Object.AppendWire(nil), golden)
	}
	return false
}

// TestZeroedAbbrevCodes: if the abbreviation code of one DIE is zeroed, the unit ends early or continues wrongly. That is an error, and no types
// are lost without a message.
func TestZeroedAbbrevCodes(t *testing.T) {
	// If the bytes after the code form the right number of other DIEs, no reader can see the damage.
	for name, unseen := range map[string]int{"gcc12-x86_64-dwarf5-zerobased": 1, "clang19-s390x-dwarf4-based": 0, "gcc12-i386-dwarf5-based": 0,
		"clang19-x86_64-dwarf5-lto": 7} {
		good := read(t, imagePath(t, name))
		f, err := stdelf.NewFile(bytes.NewReader(good))
		if err != nil {
			t.Fatal(err)
		}
		d, err := f.DWARF()
		if err != nil {
			t.Fatal(err)
		}
		info, n := f.Section(".debug_info"), 0
		golden := read(t, filepath.Join(imageFolder, name+".btf.golden"))
		for r := d.Reader(); ; {
			e, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e == nil {
				break
			}
			if e.Tag == 0 || e.Tag == dwarf.TagCompileUnit {
				continue
			}
			image := bytes.Clone(good)
			image[info.Offset+uint64(e.Offset)] = 0
			res, err := encodeBytes(image, likePeer())
			if n++; err == nil && !bytes.Equal(res.Object.AppendWire(nil), golden) { // a lost DIE of a call changes nothing
				t.Logf("%s: the code of the DIE at %#x (%s) is zeroed, and there is no error", name, e.Offset, e.Tag)
				unseen--
			}
			judgeError(t, name, err)
		}
		if n < 100 || unseen < 0 {
			t.Errorf("%s: %d DIEs were zeroed, want more; %d more than expected were not seen", name, n, -unseen)
		}
	}
}

// TestPadding: zero bytes after the entries of a unit are padding, other bytes are an error.
func TestPadding(t *testing.T) {
	for _, x := range []struct {
		behind string
		fails  bool
	}{{"", false}, {"\x00", false}, {strings.Repeat("\x00", 16), false}, {"\x01", true}, {"\x00\x00\x00\x02", true}, {strings.Repeat("\x00", 500), true}} {
		b := synth.New(synth.Target{})
		b.CU("a.c", synth.C11).Base("int", 4, synth.Signed)
		image := b.Bytes()
		f, err := stdelf.NewFile(bytes.NewReader(image))
		if err != nil {
			t.Fatal(err)
		}
		info := f.Section(".debug_info")
		data, err := info.Data()
		if err != nil {
			t.Fatal(err)
		}
		unit := append(data, x.behind...)
		binary.LittleEndian.PutUint32(unit, uint32(len(unit)-4))
		headers := binary.LittleEndian.Uint64(image[40:])
		for i, s := range f.Sections {
			if s.Name == info.Name {
				binary.LittleEndian.PutUint64(image[headers+64*uint64(i)+24:], uint64(len(image)))
				binary.LittleEndian.PutUint64(image[headers+64*uint64(i)+32:], uint64(len(unit)))
			}
		}
		image = append(image, unit...)
		if _, err := encodeBytes(image, likePeer()); (err != nil) != x.fails {
			t.Errorf("%q behind the entries: got error %v", x.behind, err)
		}
		judgeError(t, x.behind, err)
	}
}

// TestErrorContext: an error of a unit names the source file, and the DIE with the DIEs that contain it.
func TestErrorContext(t *testing.T) {
	far := synth.Num(dwarf.AttrType, synth.FormRef4, 0x7fffffff)
	for _, x := range []struct {
		name  string
		build func(cu *synth.CU, i *synth.DIE)
		want  string
	}{
		{"pointer", func(cu *synth.CU, _ *synth.DIE) { cu.DIE(dwarf.TagPointerType, far) }, "fs/a.c: pointer: reference to "},
		{"member", func(cu *synth.CU, i *synth.DIE) {
			cu.Struct("s", 8, synth.Member{Name: "a", Type: i}).DIE(dwarf.TagMember, synth.Name("b"), far)
		}, "fs/a.c: struct s, member b: reference to "},
		{"member in a struct without a name", func(cu *synth.CU, i *synth.DIE) {
			cu.Struct("s", 8).DIE(dwarf.TagStructType).DIE(dwarf.TagMember, synth.Name("b"), far)
		}, "fs/a.c: struct s, struct, member b: reference to "},
		{"enumerator", func(cu *synth.CU, _ *synth.DIE) {
			cu.Enum("e", 4, nil, synth.Value{Name: "A", Value: 1}, synth.Value{Name: "LARGE", Value: 1 << 40})
		}, "fs/a.c: enum e, enumerator LARGE: enumerator value "},
		{"enum", func(cu *synth.CU, _ *synth.DIE) { cu.Enum("e", 3, nil) }, "fs/a.c: enum e: BTF cannot express an enumeration of 3 bytes"},
		{"parameter", func(cu *synth.CU, i *synth.DIE) {
			cu.Func("f", synth.Nowhere, 4, i, synth.Param{Name: "p", Type: i}).DIE(dwarf.TagFormalParameter, synth.Name("q"), far)
		}, "fs/a.c: function f, parameter q: reference to "},
		{"bit field", func(cu *synth.CU, i *synth.DIE) {
			cu.Struct("s", 8).DIE(dwarf.TagMember, synth.Name("m"), synth.Type(i), synth.Num(0x6b, synth.FormData1, 3))
		}, "fs/a.c: struct s, member m: BTF cannot express a plain member at bit 3"},
	} {
		for _, version := range []int{4, 5} {
			b := synth.New(synth.Target{DWARF: version})
			b.CU("pad.c", synth.C11).Base("char", 1, synth.SignedChar)
			cu := b.CU("fs/a.c", synth.C11)
			x.build(cu, cu.Base("int", 4, synth.Signed))
			image := b.Bytes()
			for _, workers := range []int{1, 2} {
				opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}, Workers: workers}
				_, err := encodeBytes(image, opt)
				if err == nil || !strings.Contains(err.Error(), x.want) || !strings.HasPrefix(err.Error(), "CU 1: .debug_info+0x") {
					t.Errorf("%s, DWARF %d: got error %v, want %q", x.name, version, err, x.want)
				}
			}
		}
	}
}

// TestEveryUnitError: an error in any unit is the error of the image, for any number of workers. If several units have errors, it is the error of
// the first one.
func TestEveryUnitError(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		for bad := range 12 {
			b := synth.New(synth.Target{})
			for i := range 12 {
				cu := b.CU("a.c", synth.C11)
				d := cu.Base("int", 4, synth.Signed)
				for range 50 {
					d = cu.Pointer(d)
				}
				if i >= bad {
					cu.DIE(0x47, synth.Type(d)) // atomic
				}
			}
			opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}, Workers: workers}
			_, err := encodeBytes(b.Bytes(), opt)
			if err == nil || !strings.Contains(err.Error(), "BTF cannot express tag 0x47") || !strings.Contains(err.Error(), fmt.Sprintf("CU %d:", bad)) {
				t.Errorf("%d workers: got error %v, want that of CU %d", workers, err, bad)
			}
		}
	}
}

// FuzzEncode: any bytes give an error or a BTF object, never a panic.
func FuzzEncode(f *testing.F) {
	for _, seed := range synth.Seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, image []byte) {
		_, err := encodeBytes(image, likePeer())
		if err != nil && strings.Contains(err.Error(), "internal error") {
			t.Fatal(err)
		}
	})
}
