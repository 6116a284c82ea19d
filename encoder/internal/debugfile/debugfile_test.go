package debugfile_test

import (
	"bytes"
	stdelf "debug/elf"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/debugfile"
)

// file returns an image with a build id, if one is given, and sections by name.
func file(id []byte, sections ...any) []byte {
	b := synth.New(synth.Target{})
	if id != nil {
		b.Note(".note.gnu.build-id", "GNU", 3, id)
	}
	for i := 0; i < len(sections); i += 2 {
		b.Section(sections[i].(string), stdelf.SHT_PROGBITS, 0, 0, sections[i+1].([]byte))
	}
	return b.Bytes()
}

// link returns the content of a .gnu_debuglink: name, padding to four bytes, checksum.
func link(name string, of []byte) []byte {
	b := append([]byte(name), 0)
	b = append(b, make([]byte, (4-len(b)%4)%4)...)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(of))
}

func altLink(name string, id ...byte) []byte { return append(append([]byte(name), 0), id...) }

func sup(name string, id ...byte) []byte {
	return append(append(append([]byte{5, 0, 0}, name...), 0, byte(len(id))), id...)
}

// A row is an image and files. want is the file to be found, or part of the error.
type row struct {
	name  string
	image []byte
	files map[string][]byte // by path from the folder; the image is in "d", and "root" and "other" are roots
	want  string
	fails string
}

func check(t *testing.T, rows []row, find func(f *elf.File, roots []string) (*elf.File, error)) {
	for _, r := range rows {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "d", "image"), r.image)
		for path, data := range r.files {
			if from, ok := strings.CutPrefix(path, "ROOT/"); ok {
				path = filepath.Join("root", dir, "d", from)
			}
			write(t, filepath.Join(dir, filepath.FromSlash(path)), data)
		}
		f, err := elf.Open(filepath.Join(dir, "d", "image"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := find(f, []string{filepath.Join(dir, "root"), filepath.Join(dir, "other")})
		switch {
		case r.fails != "":
			if err == nil || !strings.Contains(err.Error(), r.fails) {
				t.Errorf("%s: got error %v, want %q", r.name, err, r.fails)
			}
			if isFormat := errors.As(err, new(*elf.FormatError)); errors.Is(err, debugfile.ErrNotFound) == isFormat {
				t.Errorf("%s: got error %v, want it to be one of damage or ErrNotFound", r.name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", r.name, err)
		case r.want == "":
			if got != nil {
				t.Errorf("%s: got %s, want none", r.name, got.Path)
			}
		case got == nil:
			t.Errorf("%s: got none, want %s", r.name, r.want)
		default:
			want := filepath.Join(dir, filepath.FromSlash(r.want))
			if from, ok := strings.CutPrefix(r.want, "ROOT/"); ok {
				want = filepath.Join(dir, "root", dir, "d", from)
			}
			if got.Path != want {
				t.Errorf("%s: got %s, want %s", r.name, got.Path, want)
			}
		}
		if got != nil {
			got.Close()
		}
		f.Close()
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDebug: the separate debug file is found by build id, then by name and checksum. No other file is accepted.
func TestDebug(t *testing.T) {
	id := []byte{0xab, 0xcd, 0xef}
	mine, other := file(id, ".debug_mine", []byte{1}), file([]byte{0xab, 0xcd, 0xee})
	const underID = ".build-id/ab/cdef.debug"
	linked := file(nil, ".gnu_debuglink", link("x.debug", mine))
	both := file(id, ".gnu_debuglink", link("x.debug", mine))
	check(t, []row{
		{name: "nothing is named", image: file(nil)},
		{name: "build id", image: file(id), files: map[string][]byte{"root/" + underID: mine}, want: "root/" + underID},
		{name: "build id, second root", image: file(id), files: map[string][]byte{"other/" + underID: mine}, want: "other/" + underID},
		{name: "build id, first root first", image: file(id), files: map[string][]byte{"root/" + underID: mine, "other/" + underID: mine}, want: "root/" + underID},
		{name: "build id of another file", image: file(id), files: map[string][]byte{"root/" + underID: other}, fails: "build id is abcdee, want abcdef"},
		{name: "build id of another file, then the right one", image: file(id), files: map[string][]byte{"root/" + underID: other, "other/" + underID: mine},
			want: "other/" + underID},
		{name: "build id, nowhere", image: file(id), fails: "debug file not found: looked for "},
		{name: "build id of one byte", image: file([]byte{0xab}), files: map[string][]byte{"root/.build-id/ab/.debug": file([]byte{0xab})}},
		{name: "build id of two bytes", image: file([]byte{0xab, 1}), files: map[string][]byte{"root/.build-id/ab/01.debug": file([]byte{0xab, 1})},
			want: "root/.build-id/ab/01.debug"},
		{name: "link, beside the image", image: linked, files: map[string][]byte{"d/x.debug": mine, "d/.debug/x.debug": mine, "ROOT/x.debug": mine}, want: "d/x.debug"},
		{name: "link, in .debug", image: linked, files: map[string][]byte{"d/.debug/x.debug": mine, "ROOT/x.debug": mine}, want: "d/.debug/x.debug"},
		{name: "link, in a root", image: linked, files: map[string][]byte{"ROOT/x.debug": mine}, want: "ROOT/x.debug"},
		{name: "link, at the top of a root", image: linked, files: map[string][]byte{"root/x.debug": mine}, fails: "looked for"},
		{name: "link to other bytes", image: linked, files: map[string][]byte{"d/x.debug": other}, fails: "checksum is"},
		{name: "link to other bytes, then the right ones", image: linked, files: map[string][]byte{"d/x.debug": other, "d/.debug/x.debug": mine},
			want: "d/.debug/x.debug"},
		{name: "link, nowhere", image: linked, fails: filepath.Join(".debug", "x.debug")},
		{name: "build id before link", image: both, files: map[string][]byte{"d/x.debug": mine, "other/" + underID: mine}, want: "other/" + underID},
		{name: "link after build id", image: both, files: map[string][]byte{"d/x.debug": mine, "other/" + underID: other}, want: "d/x.debug"},
		{name: "link with folders", image: file(nil, ".gnu_debuglink", link("../x.debug", mine)), files: map[string][]byte{"x.debug": mine, "d/x.debug": mine}, want: "d/x.debug"},
		{name: "link to the image itself", image: file(nil, ".gnu_debuglink", link("image", mine)), files: map[string][]byte{"d/.debug/image": mine}, want: "d/.debug/image"},
		{name: "names of every length", image: file(nil, ".gnu_debuglink", link("abc", mine)), files: map[string][]byte{"d/abc": mine}, want: "d/abc"},
		{name: "names of every length, one more", image: file(nil, ".gnu_debuglink", link("abcd", mine)), files: map[string][]byte{"d/abcd": mine}, want: "d/abcd"},
		{name: "link without an end", image: file(nil, ".gnu_debuglink", []byte("x.debug")), fails: ".gnu_debuglink"},
		{name: "link without a name", image: file(nil, ".gnu_debuglink", link("", mine)), fails: "cut short"},
		{name: "link without a checksum", image: file(nil, ".gnu_debuglink", link("x.debug", mine)[:11]), fails: "cut short"},
	}, debugfile.Debug)
}

// TestSupplementary: the supplementary file is found by name, in the folders that dwz and distributions use, or by build id.
func TestSupplementary(t *testing.T) {
	id := []byte{0xab, 0xcd, 0xef}
	shared, other := file(id), file([]byte{1, 2, 3})
	alt := func(name string, id ...byte) []byte { return file(nil, ".gnu_debugaltlink", altLink(name, id...)) }
	named := alt("sub/shared", id...)
	far := filepath.Join(t.TempDir(), "far")
	write(t, far, shared)
	check(t, []row{
		{name: "nothing is named", image: file(nil)},
		{name: "by its name", image: named, files: map[string][]byte{"d/sub/shared": shared, "d/shared": shared}, want: "d/sub/shared"},
		{name: "beside the image", image: named, files: map[string][]byte{"d/shared": shared, "d/.dwz/shared": shared}, want: "d/shared"},
		{name: "in .dwz", image: named, files: map[string][]byte{"d/.dwz/shared": shared, "root/.dwz/shared": shared}, want: "d/.dwz/shared"},
		{name: "by build id", image: named, files: map[string][]byte{"root/.build-id/ab/cdef.debug": shared, "root/.dwz/shared": shared}, want: "root/.build-id/ab/cdef.debug"},
		{name: "in the .dwz of a root", image: named, files: map[string][]byte{"other/.dwz/shared": shared}, want: "other/.dwz/shared"},
		{name: "another file of that name", image: named, files: map[string][]byte{"d/sub/shared": other}, fails: "build id is 010203, want abcdef"},
		{name: "another file of that name first", image: named, files: map[string][]byte{"d/sub/shared": other, "d/shared": shared}, want: "d/shared"},
		{name: "nowhere", image: named, fails: "looked for"},
		{name: "an id of one byte counts", image: alt("shared", 0xab), files: map[string][]byte{"d/shared": other}, fails: "build id is 010203, want ab"},
		{name: "without an id any file of the name will do", image: alt("shared"), files: map[string][]byte{"d/shared": other}, want: "d/shared"},
		{name: "link without an end", image: file(nil, ".gnu_debugaltlink", []byte("shared")), fails: ".gnu_debugaltlink"},
		{name: "link without a name", image: alt("", id...), fails: "name is cut short"},
		{name: "DWARF 5", image: file(nil, ".debug_sup", sup("shared", id...)), files: map[string][]byte{"d/shared": shared}, want: "d/shared"},
		{name: "DWARF 5, with its checksum", image: file(nil, ".debug_sup", sup("shared", id...)),
			files: map[string][]byte{"d/shared": file(nil, ".debug_sup", sup("", id...))}, want: "d/shared"},
		{name: "DWARF 5, with another checksum", image: file(nil, ".debug_sup", sup("shared", id...)),
			files: map[string][]byte{"d/shared": file(nil, ".debug_sup", sup("", 1, 2, 3))}, fails: "build id is"},
		{name: "DWARF 5, the file itself", image: file(nil, ".debug_sup", sup("", id...))},
		{name: "DWARF 5, cut short", image: file(nil, ".debug_sup", sup("shared", id...)[:12]), fails: ".debug_sup"},
		{name: "DWARF 5, without a length", image: file(nil, ".debug_sup", []byte{5, 0, 0, 'x', 0}), fails: "cut short"},
		{name: "DWARF 5, nothing", image: file(nil, ".debug_sup", []byte{5}), fails: "cut short"},
	}, debugfile.Supplementary)

	f, err := elf.NewFile(bytes.NewReader(alt(far, id...)), uint64(len(alt(far, id...))))
	if err != nil {
		t.Fatal(err)
	}
	got, err := debugfile.Supplementary(f, nil) // of an image in memory
	if err != nil || got == nil || got.Path != far {
		t.Fatalf("absolute: got %v (%v), want %s", got, err, far)
	}
	got.Close()
}
