package corpus

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	stdelf "debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// image returns a small ELF file of an architecture, with the given note section.
func image(t testing.TB, arch string, notes []byte) []byte {
	t.Helper()
	a, ok := config.ArchByName(arch)
	if !ok {
		t.Fatalf("no architecture %q", arch)
	}
	target := synth.Target{Class: a.Class, Machine: a.Machine, Order: binary.LittleEndian}
	if a.Data == stdelf.ELFDATA2MSB {
		target.Order = binary.BigEndian
	}
	b := synth.New(target)
	if notes != nil {
		b.Section(".notes", stdelf.SHT_NOTE, stdelf.SHF_ALLOC, 0x1000, notes).Align = 4
	}
	return b.Bytes()
}

// note returns one ELF note in little-endian order, padded to align.
const buildIDNote = 3 // NT_GNU_BUILD_ID

func note(align int, name string, kind uint32, desc ...byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(name)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(desc)))
	b = append(binary.LittleEndian.AppendUint32(b, kind), name...)
	for len(b)%align != 0 {
		b = append(b, 0)
	}
	b = append(b, desc...)
	for len(b)%align != 0 {
		b = append(b, 0)
	}
	return b
}

// folder writes files and a manifest, and finds and inspects its images.
func folder(t *testing.T, manifest string, files map[string][]byte) (string, []Item) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, resolve(t, dir, manifest)
}

// resolve finds the images of a manifest. Those without a kind may be of any kind.
func resolve(t *testing.T, dir, manifest string) []Item {
	t.Helper()
	m := parsed(t, dir, manifest)
	for i := range m.Images {
		m.Images[i].Kind = cmp.Or(m.Images[i].Kind, config.AnyKind)
	}
	return inspected(m)
}

// stated is resolve, but images without a kind must be kernels or modules.
func stated(t *testing.T, dir, manifest string) []Item {
	t.Helper()
	return inspected(parsed(t, dir, manifest))
}

func parsed(t *testing.T, dir, manifest string) *config.Manifest {
	t.Helper()
	m, err := config.Parse(filepath.Join(dir, "batch.yaml"), []byte("version: 1\n"+manifest), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func inspected(m *config.Manifest) []Item {
	items := Resolve(context.Background(), m, Sources{})
	Inspect(context.Background(), items, nil)
	return items
}

// rows formats items as "name" or "name: error".
func rows(dir string, items []Item) string {
	var b strings.Builder
	for _, it := range items {
		b.WriteString(it.Image.Name)
		if it.Err != nil {
			b.WriteString(": " + strings.ReplaceAll(it.Err.Error(), dir+"/", ""))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestEveryArchitecture(t *testing.T) {
	files := map[string][]byte{}
	manifest := "images:\n"
	for _, arch := range config.ArchNames() {
		files[arch] = image(t, arch, nil)
		manifest += fmt.Sprintf("- {path: %s, arch: %s}\n- {path: %s, name: any-%s}\n", arch, arch, arch, arch)
		for _, other := range config.ArchNames() {
			if other != arch {
				manifest += fmt.Sprintf("- {path: %s, arch: %s, name: not-%s-%s}\n", arch, other, other, arch)
			}
		}
	}
	_, items := folder(t, manifest, files)
	for _, it := range items {
		name := it.Image.Name
		if wrong := strings.HasPrefix(name, "not-"); (it.Err != nil) != wrong {
			t.Errorf("%s: got %v", name, it.Err)
		}
		if arch, ok := strings.CutPrefix(name, "any-"); ok && it.Arch != arch {
			t.Errorf("%s: got arch %s", name, it.Image.Arch)
		}
	}
}

func TestRows(t *testing.T) {
	x86, arm := image(t, "x86_64", nil), image(t, "arm64", nil)
	cut := x86[:100]
	for _, tt := range []struct {
		name, manifest string
		files          map[string][]byte
		want           string
	}{
		{"missing file", "images: [{path: a}, {path: b}]", map[string][]byte{"b": x86},
			"a: stat a: no such file or directory\nb\n"},
		{"folder", "images: [{path: d}]", map[string][]byte{"d/b": x86}, "d: d is not a regular file but a folder: give a regular file\n"},
		{"no ELF", "images: [{path: a}]", map[string][]byte{"a": make([]byte, 100)}, "a: not an ELF file but a file of zeros: it was not completely written or downloaded\n"},
		{"empty", "images: [{path: a}]", map[string][]byte{"a": {}}, "a: not an ELF file but an empty file: it was not completely written or downloaded\n"},
		{"cut short", "images: [{path: a}]", map[string][]byte{"a": cut},
			fmt.Sprintf("a: section headers+%#x: 64 bytes reach past the end of the file (100 bytes)\n", binary.LittleEndian.Uint64(x86[40:]))},
		{"architecture", "images: [{path: a, arch: arm64}]", map[string][]byte{"a": x86},
			"a: ELF header+0x12: architecture is x86_64, the manifest says arm64\n"},

		{"glob", `images: [{path: "k/*.ko"}, {path: z}]`, map[string][]byte{"k/b.ko": x86, "k/a.ko": x86, "k/c.o": x86, "z": x86}, "a\nb\nz\n"},
		{"glob below", `images: [{path: "k/**/*.ko", name: "m/${{ image.file }}"}]`,
			map[string][]byte{"k/b.ko": x86, "k/x/y/a.ko": x86}, "m/b\nm/a\n"},
		{"glob with alternatives", `images: [{path: "{k,l}/v?", name: "${{ image.file }}"}]`, map[string][]byte{"k/v1": x86, "l/v2": x86}, "v1\nv2\n"},
		{"glob without a match", `images: [{path: "k/*.ko"}, {path: z}]`, map[string][]byte{"k/a": x86, "z": x86},
			"*.ko: glob k/*.ko matches no file\nz\n"},
		{"glob in a folder that is missing", `images: [{path: "k/*", name: n}]`, nil, "n: glob k/*: stat k: no such file or directory\n"},
		{"glob in a file", `images: [{path: "k/*", name: n}]`, map[string][]byte{"k": x86}, "n: glob k/*: k is not a folder\n"},
		{"glob of one file by name", `images: [{path: "k/*", name: n}]`, map[string][]byte{"k/a": x86}, "n\n"},
		{"glob of two files by one name", `images: [{path: "k/*", name: n}]`, map[string][]byte{"k/a": x86, "k/b": x86},
			"n: glob k/* matches 2 files, which would all be named \"n\"; put ${{ image.file }} into it\n"},
		{"glob with names that collide", `images: [{path: "*/v"}]`, map[string][]byte{"k/v": x86, "l/v": x86},
			"v\nv: name: the matrix gives several images the name \"v\"; use its values in the name\n"},
		{"glob with one bad file", `images: [{path: "k/*"}]`, map[string][]byte{"k/a": x86, "k/b": {1}, "k/c d": x86},
			"a\nb: not an ELF file but data that begins with 01: give a vmlinux or a module with DWARF\nc d: name \"c d\" contains the character ' ', which is not allowed\n"},

		{"bases first", "images: [{path: c, base: b}, {path: x}, {path: e, base: a}, {path: b}, {path: d, base: a}, {path: a}]",
			map[string][]byte{"a": x86, "b": x86, "c": x86, "d": x86, "e": x86, "x": x86}, "b\nc\nx\na\ne\nd\n"},
		{"base of a glob", `images: [{path: m, base: v2}, {path: "v*"}]`, map[string][]byte{"m": x86, "v1": x86, "v2": x86}, "v2\nm\nv1\n"},
		{"base that no glob has", `images: [{path: m, base: v3}, {path: "v*"}]`, map[string][]byte{"m": x86, "v1": x86},
			"m: base: no image is named \"v3\"\nv1\n"},
		{"base that a failed glob might have", `images: [{path: m, base: v3}, {path: "v*"}]`, map[string][]byte{"m": x86},
			"m: base: no image is named \"v3\"\nv*: glob v* matches no file\n"},
		{"base that fails", "images: [{path: m2, base: v}, {path: m, base: v}, {path: v}, {path: n}]",
			map[string][]byte{"m": x86, "m2": x86, "n": x86},
			"v: stat v: no such file or directory\nm2: base \"v\": stat v: no such file or directory\n" +
				"m: base \"v\": stat v: no such file or directory\nn\n"},
		{"base of another architecture", "images: [{path: m, base: v}, {path: v}]", map[string][]byte{"m": x86, "v": arm},
			"v\nm: base \"v\": ELF header+0x12: architecture is arm64, that of the image x86_64\n"},
		{"circle through a glob", `images: [{path: "v*", base: w1}, {path: "w*", base: v1}]`, map[string][]byte{"w1": x86, "v1": x86},
			"w1: base \"v1\": base: bases form a cycle: v1 → w1 → v1\nv1: base: bases form a cycle: v1 → w1 → v1\n"},
		{"base of a base through a glob", `images: [{path: "v*", base: b}, {path: m, base: v1}, {path: b}]`,
			map[string][]byte{"m": x86, "b": x86, "v1": x86},
			"b\nv1\nm: base: base \"v1\" has a base itself, \"b\"; a base cannot be split BTF\n"},

		{"base_path ELF", "images: [{path: m, base_path: v}]", map[string][]byte{"m": x86, "v": x86}, "m\n"},
		{"base_path ELF of another architecture", "images: [{path: m, base_path: v}]", map[string][]byte{"m": x86, "v": arm},
			"m: base: v: ELF header+0x12: architecture is arm64, that of the image x86_64\n"},
		{"base_path BTF", "images: [{path: m, base_path: v}]", map[string][]byte{"m": x86, "v": {0x9f, 0xeb, 1, 0}}, "m\n"},
		{"base_path BTF of the other byte order", "images: [{path: m, base_path: v}]", map[string][]byte{"m": x86, "v": {0xeb, 0x9f, 1, 0}},
			"m: base: v: BTF header+0x0: byte order is BigEndian, that of the image LittleEndian\n"},
		{"base_path of neither kind", "images: [{path: m, base_path: v}]", map[string][]byte{"m": x86, "v": []byte("text")},
			"m: base: v: not raw BTF but text: give raw BTF, or an ELF file with a section .BTF\n"},
		{"base_path too short", "images: [{path: m, base_path: v}]", map[string][]byte{"m": x86, "v": {0x9f}},
			"m: base: v: not raw BTF but data that begins with 9f: give raw BTF, or an ELF file with a section .BTF\n"},
		{"base_path missing", "images: [{path: m, base_path: v}]", map[string][]byte{"m": x86},
			"m: base: stat v: no such file or directory\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, items := folder(t, tt.manifest+"\n", tt.files)
			if got := rows(dir, items); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestBaseLinks(t *testing.T) {
	x := image(t, "x86_64", nil)
	dir, items := folder(t, "images: [{path: m, base: v}, {path: n, base_path: v}, {path: v}]\n", map[string][]byte{"m": x, "n": x, "v": x})
	for i, want := range []struct {
		name, file string
		base       int
	}{{"v", "", -1}, {"m", "", 0}, {"n", "v", -1}} {
		it := items[i]
		file := strings.TrimPrefix(it.BaseFile, dir+"/")
		if it.Image.Name != want.name || it.Base != want.base || file != want.file || it.Size != int64(len(x)) {
			t.Errorf("item %d: got %s based on %d, %s, %d bytes; want %+v", i, it.Image.Name, it.Base, file, it.Size, want)
		}
	}
}

// TestFolderWithMeta has a manifest in a folder whose name looks like a pattern.
func TestFolderWithMeta(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]*{c}")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "v.elf"), image(t, "arm", nil), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := rows(dir, resolve(t, dir, "images: [{path: \"*.elf\"}]\n")); got != "v\n" {
		t.Errorf("got %s", got)
	}
}

func TestBuildID(t *testing.T) {
	id := note(4, "GNU\x00", buildIDNote, 0xab, 0xcd, 0xef)
	for _, tt := range []struct {
		name  string
		notes []byte
		want  string
	}{
		{"alone", id, "abcdef"},
		{"none", nil, ""},
		{"behind others", slices.Concat(note(4, "Xen\x00", buildIDNote, 1, 2, 3, 4), note(4, "GNU\x00", 1, 9), note(4, "", 0), id), "abcdef"},
		{"only others", note(4, "Linux\x00", 257, 1), ""},
		{"padding", slices.Concat(note(4, "Xen\x00", 1, 1), make([]byte, 8)), ""},
		{"header cut short", []byte{4, 0, 0, 0, 1}, "error: .notes+0x0: note is cut short"},
		{"second cut short", slices.Concat(note(4, "Xen\x00", 1), []byte{1, 2}), "error: .notes+0x10: note is cut short"},
		{"name too long", []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 3, 0, 0, 0},
			"error: .notes+0x0: note with an owner of 4294967295 and a value of 0 bytes reaches past the section"},
		{"descriptor too long", []byte{4, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff, 3, 0, 0, 0, 'G', 'N', 'U', 0},
			"error: .notes+0x0: note with an owner of 4 and a value of 4294967292 bytes reaches past the section"},
		{"huge section", make([]byte, 1<<20+1), "error: .notes+0x0: note section of 1048577 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, items := folder(t, "images: [{path: v}]\n", map[string][]byte{"v": image(t, "x86_64", tt.notes)})
			got := items[0].BuildID
			if err := items[0].Err; err != nil {
				got = "error: " + err.Error()
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestBuildIDPin(t *testing.T) {
	_, items := folder(t, "images: [{path: v, name: a, build_id: ABCD}, {path: v, name: b, build_id: abce}, {path: w, build_id: ab}]\n",
		map[string][]byte{"v": image(t, "x86_64", note(4, "GNU\x00", buildIDNote, 0xab, 0xcd)), "w": image(t, "x86_64", nil)})
	if items[0].Err != nil {
		t.Errorf("right pin: got %v", items[0].Err)
	}
	for i, want := range []MismatchError{{What: "build_id", Found: "abcd", Pinned: "abce"}, {What: "build_id", Pinned: "ab"}} {
		var got *MismatchError
		if !errors.As(items[i+1].Err, &got) || *got != want {
			t.Errorf("got %v, want %v", items[i+1].Err, &want)
		}
	}
}

func TestAlignedNotes(t *testing.T) {
	b := synth.New(synth.Target{})
	notes := slices.Concat(note(8, "GNU\x00", 5, 1, 2, 3, 4), note(8, "GNU\x00", buildIDNote, 0xab))
	b.Section(".note.gnu.property", stdelf.SHT_NOTE, 0, 0, notes).Align = 8
	_, items := folder(t, "images: [{path: v}]\n", map[string][]byte{"v": b.Bytes()})
	if items[0].BuildID != "ab" || items[0].Err != nil {
		t.Errorf("got %q, %v", items[0].BuildID, items[0].Err)
	}
}

func TestPin(t *testing.T) {
	v, m := image(t, "x86_64", nil), image(t, "x86_64", []byte{})
	hash := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
	wrong := strings.Repeat("0", 64)
	dir, items := folder(t, fmt.Sprintf(`images:
- {path: v, sha256: "%s"}
- {path: m, base: v}
- {path: m, name: bad, sha256: "%s"}
- {path: m, name: based, base_path: v, base_sha256: "%s"}
- {path: m, name: badly-based, base_path: v, base_sha256: "%s"}
`, hash(v), wrong, hash(v), wrong), map[string][]byte{"v": v, "m": m})
	var h Hasher
	Inspect(context.Background(), items, &h)
	for i, want := range []struct{ sum, mismatch string }{{hash(v), ""}, {hash(m), ""}, {hash(m), "sha256"}, {hash(m), ""}, {hash(m), "base_sha256"}} {
		it := &items[i]
		f, err := it.Open(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.Pin(context.Background(), &it.File, f.Input)
		f.Close()
		if got != want.sum || (err != nil) != (want.mismatch == "sha256") {
			t.Errorf("%s: got %s, %v, want %+v", it.Image.Name, got, err, want)
		}
		what := ""
		if mismatch, ok := errors.AsType[*MismatchError](it.Err); ok {
			what = mismatch.What
		} else if it.Err != nil {
			t.Errorf("%s: %v", it.Image.Name, it.Err)
		}
		if what != want.mismatch {
			t.Errorf("%s: got %v, want a mismatch of %q", it.Image.Name, it.Err, want.mismatch)
		}
	}

	open := func(name string) *input.File {
		t.Helper()
		f, err := source.File(filepath.Join(dir, name)).Open(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	t.Run("of what is open", func(t *testing.T) {
		f := open("v")
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "w"), m, 0o644), os.Rename(filepath.Join(dir, "w"), filepath.Join(dir, "v"))); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Sum(context.Background(), f); got != hash(v) || err != nil {
			t.Errorf("got %s, %v, want %s", got, err, hash(v))
		}
	})
	t.Run("changed", func(t *testing.T) {
		f := open("m")
		if err := os.WriteFile(filepath.Join(dir, "m"), append(bytes.Clone(m), 0), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Sum(context.Background(), f); !errors.Is(err, input.ErrChanged) {
			t.Errorf("got %v, want %v", err, input.ErrChanged)
		}
	})
	t.Run("each file once", func(t *testing.T) {
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(dir, "v"), old, old); err != nil {
			t.Fatal(err)
		}
		var h Hasher
		a, b := open("v"), open("v")
		if a.Recent() {
			t.Error("got that a file of an hour ago is recent")
		}
		var wg sync.WaitGroup
		for _, f := range []*input.File{a, b} {
			wg.Go(func() {
				if got, err := h.Sum(context.Background(), f); got != hash(m) || err != nil {
					t.Errorf("got %s, %v, want %s", got, err, hash(m))
				}
			})
		}
		wg.Wait()
		if len(h.sums) != 1 {
			t.Errorf("got %d sums, want 1", len(h.sums))
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		var h Hasher
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := h.Sum(ctx, open("v")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if _, err := h.Sum(context.Background(), open("v")); err != nil {
			t.Errorf("after a cancelled call: got %v", err)
		}
	})
	t.Run("compressed", func(t *testing.T) {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		w.Write(v)
		w.Close()
		if err := os.WriteFile(filepath.Join(dir, "v.gz"), packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Sum(context.Background(), open("v.gz")); got != hash(packed.Bytes()) || err != nil {
			t.Errorf("got %s, %v, want the digest of the compressed file, %s", got, err, hash(packed.Bytes()))
		}
	})
}

// FuzzInspect checks that no header and no note causes a panic or an error without a place.
func FuzzInspect(f *testing.F) {
	for _, arch := range []string{"x86_64", "s390x", "arm", "mips"} {
		f.Add(image(f, arch, note(4, "GNU\x00", buildIDNote, 1, 2, 3)))
	}
	f.Add([]byte(stdelf.ELFMAG))
	path := filepath.Join(f.TempDir(), "v")
	f.Fuzz(func(t *testing.T, data []byte) {
		if !bytes.HasPrefix(data, []byte(stdelf.ELFMAG)) {
			t.Skip("no ELF file, with errors of its own")
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		it := Item{File: FileAt(path, Pins{})}
		err := it.inspect(context.Background(), nil)
		var format *elf.FormatError
		if err != nil && !errors.As(err, &format) {
			t.Fatalf("error without a place: %v", err)
		}
		if err == nil && (it.Arch == "" || it.Size != int64(len(data))) {
			t.Fatalf("incomplete: %+v", it)
		}
	})
}

// TestQuickstart checks that the example manifest fits the committed images.
func TestQuickstart(t *testing.T) {
	m, err := config.Load("quickstart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	items := Resolve(context.Background(), m, Sources{})
	Inspect(context.Background(), items, nil)
	for _, it := range items {
		if it.Err != nil {
			t.Errorf("%s: %v", it.Image.Name, it.Err)
		}
		if _, err := os.Stat(it.Image.Golden); it.Image.Golden != "" && err != nil {
			t.Errorf("%s: golden: %v", it.Image.Name, err)
		}
	}
}

// TestLabKernels reads real kernels of the lab.
func TestLabKernels(t *testing.T) {
	lab := filepath.Join(peer.Lab(t), "kernels")
	if _, err := os.Stat(lab); err != nil {
		peer.Missing(t, "no kernels: %v", err)
	}
	items := stated(t, lab, "images: [{path: \"*.vmlinux\"}]\n")
	for _, it := range items {
		if it.Err != nil || len(it.BuildID) != 40 {
			t.Errorf("%s: build id %q, %v", it.Image.Name, it.BuildID, it.Err)
		}
		t.Logf("%-20s %-8s %s %d bytes", it.Image.Name, it.Arch, it.BuildID, it.Size)
	}
}

// counting is a Source that counts how often it is opened.
type counting struct {
	source.Source
	opened int
}

func (c *counting) Open(ctx context.Context) (*input.File, error) {
	c.opened++
	return c.Source.Open(ctx)
}

// A fading is a Source whose file is overwritten with zeros as soon as it is open.
type fading struct{ source.File }

func (f fading) Open(ctx context.Context) (*input.File, error) {
	in, err := f.File.Open(ctx)
	if err != nil {
		return nil, err
	}
	return in, os.WriteFile(string(f.File), make([]byte, 1000), 0o600)
}

// TestOpenChanged: if a file is changed while it is looked at, that is the error, and not what was found in it.
func TestOpenChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image.elf")
	image, err := os.ReadFile("images/gcc12-x86_64-dwarf5-based.elf")
	if err == nil {
		err = os.WriteFile(path, image, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	f := File{Path: path, Source: fading{source.File(path)}}
	if _, err := f.Open(context.Background()); !errors.Is(err, input.ErrChanged) {
		t.Errorf("got %v, want %v", err, input.ErrChanged)
	}
}

// TestInspectOnce: Inspect opens a file once, whatever it compares with the manifest.
func TestInspectOnce(t *testing.T) {
	v := image(t, "x86_64", note(4, "GNU\x00", buildIDNote, 0xab))
	sum := sha256.Sum256(v)
	path := filepath.Join(t.TempDir(), "v")
	if err := os.WriteFile(path, v, 0o600); err != nil {
		t.Fatal(err)
	}
	c := &counting{Source: source.File(path)}
	items := []Item{{Base: -1, File: File{Source: c, Path: path, Pins: Pins{SHA256: hex.EncodeToString(sum[:]), BuildID: "ab", Arch: "x86_64", Kind: config.AnyKind}}}}
	Inspect(context.Background(), items, new(Hasher))
	if it := &items[0]; c.opened != 1 || it.Err != nil || it.BuildID != "ab" || it.Size != int64(len(v)) {
		t.Errorf("opened %d times, got %v, build id %s, %d bytes", c.opened, it.Err, it.BuildID, it.Size)
	}
}
