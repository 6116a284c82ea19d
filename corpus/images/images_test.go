// Package images_test checks that the committed images are complete and match their names.
package images_test

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/config"
)

const (
	maxImage = 60 << 10 // bytes of one image
	maxAll   = 5 << 18  // bytes of the folder without sources
)

// name matches the parts of COMPILER-ARCH-dwarfN-WHAT.
var name = regexp.MustCompile(`^(gcc12|clang19)-([a-z0-9_]+)-dwarf([45])-([a-z0-9]+)\.(elf|ko)$`)

func images(t *testing.T) []string {
	t.Helper()
	elfs, _ := filepath.Glob("*.elf")
	kos, _ := filepath.Glob("*.ko")
	all := append(elfs, kos...)
	if len(all) == 0 {
		t.Fatal("no images")
	}
	return all
}

func stem(file string) string { return strings.TrimSuffix(file, filepath.Ext(file)) }

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestComplete(t *testing.T) {
	all := images(t)
	readme := string(read(t, "README.md"))
	total := 0
	for _, image := range all {
		size := len(read(t, image))
		raw, btf := read(t, stem(image)+".raw.golden"), read(t, stem(image)+".btf.golden")
		total += size + len(raw) + len(btf)
		if size > maxImage {
			t.Errorf("%s: got %d bytes, want at most %d", image, size, maxImage)
		}
		if !bytes.HasPrefix(raw, []byte("[1] ")) {
			t.Errorf("%s: raw golden does not begin with type 1", image)
		}
		if n := strings.Count(readme, "\n| `"+image+"` |"); n != 1 {
			t.Errorf("%s: got %d rows in README.md, want 1", image, n)
		}
	}
	if total > maxAll {
		t.Errorf("all files: got %d bytes, want at most %d", total, maxAll)
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(readme, -1) {
		if !slices.Contains(all, row[1]) {
			t.Errorf("README.md has a row for %s, which does not exist", row[1])
		}
	}
	goldens, _ := filepath.Glob("*.golden")
	for _, g := range goldens {
		base, _, _ := strings.Cut(g, ".")
		if !slices.Contains(all, base+".elf") && !slices.Contains(all, base+".ko") {
			t.Errorf("%s: no image of that name", g)
		}
	}
}

func TestNamesTellTheTruth(t *testing.T) {
	for _, image := range images(t) {
		t.Run(image, func(t *testing.T) {
			part := name.FindStringSubmatch(image)
			if part == nil {
				t.Fatalf("name does not follow %s", name)
			}
			compiler, arch, version, what := part[1], part[2], part[3], part[4]
			content := read(t, image)
			f, err := elf.NewFile(bytes.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			want, ok := config.ArchByName(arch)
			if !ok {
				t.Fatalf("no architecture %s", arch)
			}
			if f.Machine != want.Machine || f.Class != want.Class || f.Data != want.Data {
				t.Errorf("header: got %v %v %v, want %v %v %v", f.Machine, f.Class, f.Data, want.Machine, want.Class, want.Data)
			}
			typ := map[string]elf.Type{"elf": elf.ET_EXEC, "ko": elf.ET_REL}[part[5]]
			if f.Type != typ {
				t.Errorf("type: got %v, want %v", f.Type, typ)
			}
			checkLayout(t, f, content, what)
			checkDWARF(t, f, compiler, version, what)
			// BTF has the byte order of its image.
			if got := f.ByteOrder.Uint16(read(t, stem(image)+".btf.golden")); got != 0xeb9f {
				t.Errorf("magic of the golden: got %#x, want 0xeb9f", got)
			}
			for _, word := range []string{"/home/", "/tmp/", "/root/"} {
				if bytes.Contains(content, []byte(word)) {
					t.Errorf("contains a path of the machine on which it was compiled: %s", word)
				}
			}
		})
	}
}

// checkLayout checks the properties that the last part of the name stands for.
func checkLayout(t *testing.T, f *elf.File, content []byte, what string) {
	t.Helper()
	percpu := f.Section(".data..percpu")
	if percpu == nil || percpu.Type != elf.SHT_PROGBITS {
		t.Fatal("no .data..percpu")
	}
	info := f.Section(".debug_info")
	switch what {
	case "zerobased":
		if percpu.Addr != 0 {
			t.Errorf(".data..percpu: got address %#x, want 0", percpu.Addr)
		}
	case "based", "vectors":
		if percpu.Addr == 0 {
			t.Error(".data..percpu: got address 0, want a different address")
		}
	case "zlib", "zstd":
		want := map[string]elf.CompressionType{"zlib": elf.COMPRESS_ZLIB, "zstd": elf.COMPRESS_ZSTD}[what]
		raw := content[info.Offset:] // with the compression header, which package elf hides
		if got := elf.CompressionType(f.ByteOrder.Uint32(raw)); info.Flags&elf.SHF_COMPRESSED == 0 || got != want {
			t.Errorf(".debug_info: got flags %v, %v, want %v", info.Flags, got, want)
		}
	case "emitrelocs":
		if f.Section(".rel.debug_info") == nil {
			t.Error("no .rel.debug_info")
		}
	case "lto":
		if b, err := f.Section(".notes").Data(); err != nil || len(b) != 24 || b[20] != 1 {
			t.Errorf("note: got %x, %v, want descriptor 1", b, err)
		}
	}
}

// checkDWARF checks the headers and the producers of all units.
func checkDWARF(t *testing.T, f *elf.File, compiler, version, what string) {
	t.Helper()
	info, err := f.Section(".debug_info").Data()
	if err != nil {
		t.Fatal(err)
	}
	wide := false
	for len(info) > 0 {
		header, n := info[4:], 4+uint64(f.ByteOrder.Uint32(info))
		if f.ByteOrder.Uint32(info) == 0xffffffff {
			wide = true
			header, n = info[12:], 12+f.ByteOrder.Uint64(info[4:])
		}
		if got := f.ByteOrder.Uint16(header); got != uint16(version[0]-'0') {
			t.Errorf("DWARF version: got %d, want %s", got, version)
		}
		info = info[n:]
	}
	if wide != (what == "dwarf64") {
		t.Errorf("units in the 64-bit format: got %v", wide)
	}
	d, err := f.DWARF()
	if err != nil && f.Type == elf.ET_REL && strings.Contains(err.Error(), "not implemented") {
		return // the standard library relocates files only for some machines
	}
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{"gcc12": "GNU C11 12.2.0", "clang19": "Debian clang version 19.1.7"}[compiler]
	n := 0
	for r := d.Reader(); ; r.SkipChildren() {
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			break
		}
		producer, _ := e.Val(dwarf.AttrProducer).(string)
		source, _ := e.Val(dwarf.AttrName).(string)
		if strings.HasSuffix(source, ".S") {
			continue
		}
		n++
		if !strings.HasPrefix(producer, made) {
			t.Errorf("producer of %s: got %q, want %q", source, producer, made)
		}
		if _, err := os.Stat(source); err != nil {
			t.Errorf("unit: got name %q, want a source in src", source)
		}
	}
	if n == 0 {
		t.Error("no units of C")
	}
}

// TestQuickStart checks that the example manifest is valid, names files that exist, and contains every architecture of the committed
// images.
func TestQuickStart(t *testing.T) {
	m, err := config.Load(filepath.Join("..", "quickstart.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, image := range m.Images {
		covered[image.Arch] = true
		if image.Golden != stem(image.Path)+".raw.golden" {
			t.Errorf("%s: got golden %s, want that of %s", image.Name, image.Golden, image.Path)
		}
		for _, file := range []string{image.Path, image.Golden} {
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %v", image.Name, err)
			}
		}
	}
	for _, image := range images(t) {
		if arch := name.FindStringSubmatch(image)[2]; !covered[arch] {
			t.Errorf("quickstart.yaml has no image of %s", arch)
		}
	}
}
