package dwarf_test

import (
	"bytes"
	stddwarf "debug/dwarf"
	stdelf "debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

func open(t testing.TB, image []byte) *dwarf.Data {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
	if err != nil {
		t.Fatal(err)
	}
	d, err := dwarf.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A die has the attributes of a DIE that both readers return.
type die struct {
	off      uint64 // offset in the section
	tag      uint16
	children bool
	name     string
	typ      uint64 // offset in the section; 0 if there is none
	size     uint64
}

// bare are tags of DIEs whose attributes are not read. Of the tags in nameless, only some attributes are read.
var (
	bare = map[dwarf.Tag]bool{dwarf.TagLexicalBlock: true, dwarf.TagInlinedSubroutine: true, dwarf.TagCallSite: true, dwarf.TagCallSiteParameter: true,
		dwarf.TagGNUCallSite: true, dwarf.TagGNUCallSiteParam: true, dwarf.TagSubrangeType: true}
	sizeless = map[dwarf.Tag]bool{dwarf.TagEnumerator: true, dwarf.TagFormalParameter: true, dwarf.TagVariable: true, dwarf.TagSubprogram: true,
		dwarf.TagCompileUnit: true, dwarf.TagTypeUnit: true}
)

// ours returns the DIEs of all units of .debug_info, read by this package.
func ours(t testing.TB, d *dwarf.Data) (all []die) {
	t.Helper()
	var (
		u dwarf.Unit
		c dwarf.Cursor
	)
	for r := d.Units(); ; {
		more, err := r.Next(&u)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return all
		}
		if err := u.Open(); err != nil {
			t.Fatal(err)
		}
		c.Start(&u)
		depth := 0
		for pos := c.Next; ; pos = c.Next {
			a := c.Read(pos)
			if c.Err != nil {
				t.Fatal(c.Err)
			}
			switch {
			case a == nil:
				depth--
			default:
				x := die{off: u.Off + uint64(c.Pos), tag: uint16(a.Tag), children: a.Children, size: c.Value(dwarf.SlotSize)}
				x.name = string(d.Strings.Append(nil, c.Name()))
				if ref, ok := c.Ref(dwarf.SlotType); ok {
					x.typ = u.Off + uint64(ref)
				}
				all = append(all, x)
				if a.Children {
					depth++
				}
			}
			if depth <= 0 {
				break
			}
		}
	}
}

// theirs returns them as the standard library reads them.
func theirs(t testing.TB, image []byte) (all []die) {
	t.Helper()
	f, err := stdelf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	for r := d.Reader(); ; {
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			return all
		}
		if e.Tag == 0 {
			continue
		}
		x := die{off: uint64(e.Offset), tag: uint16(e.Tag), children: e.Children}
		tag := dwarf.Tag(e.Tag)
		if !bare[tag] {
			x.name, _ = e.Val(stddwarf.AttrName).(string)
			if ref, ok := e.Val(stddwarf.AttrType).(stddwarf.Offset); ok && tag != dwarf.TagEnumerator && tag != dwarf.TagCompileUnit {
				x.typ = uint64(ref)
			}
			if n, ok := e.Val(stddwarf.AttrByteSize).(int64); ok && !sizeless[tag] {
				x.size = uint64(n)
			}
		}
		all = append(all, x)
	}
}

func compare(t *testing.T, image []byte) {
	t.Helper()
	got, want := ours(t, open(t, image)), theirs(t, image)
	if len(got) != len(want) {
		t.Errorf("got %d DIEs, want %d", len(got), len(want))
	}
	if len(want) == 0 {
		t.Error("no DIEs")
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("DIE %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
}

// TestOracle: this package and the standard library read the same DIEs of every sample.
func TestOracle(t *testing.T) {
	for _, target := range synth.Targets() {
		for _, how := range []synth.Compression{synth.Plain, synth.Zlib, synth.Zstd, synth.GNUZlib} {
			target.Compress = how
			t.Run(target.String(), func(t *testing.T) { compare(t, synth.Sample(target).Bytes()) })
		}
	}
}

// TestOracleImages is the same for real images.
func TestOracleImages(t *testing.T) {
	paths, err := filepath.Glob("../../../corpus/images/*.elf")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no images (%v)", err)
	}
	for _, path := range paths {
		if strings.Contains(path, "lto") { // references between units are followed only in MergedUnits
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".elf"), func(t *testing.T) {
			image, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, image)
		})
	}
}

// walk visits every DIE of a unit and returns their number.
func walk(c *dwarf.Cursor, u *dwarf.Unit) (n int) {
	c.Start(u)
	depth := 0
	for pos := c.Next; ; pos = c.Next {
		if a := c.Read(pos); a == nil {
			depth--
		} else {
			n++
			if a.Children {
				depth++
			}
		}
		if depth <= 0 || c.Err != nil {
			return n
		}
	}
}

// firstUnit opens the first unit of an image.
func firstUnit(t testing.TB, d *dwarf.Data) *dwarf.Unit {
	t.Helper()
	u := &dwarf.Unit{}
	if more, err := d.Units().Next(u); !more || err != nil {
		t.Fatalf("got %v, %v, want a unit", more, err)
	}
	if err := u.Open(); err != nil {
		t.Fatal(err)
	}
	return u
}

// TestAllocs: walking a unit allocates nothing.
func TestAllocs(t *testing.T) {
	for _, target := range synth.Targets() {
		u := firstUnit(t, open(t, synth.Sample(target).Bytes()))
		var c dwarf.Cursor
		n := 0
		if got := testing.AllocsPerRun(100, func() { n = walk(&c, u) }); got != 0 || n < 20 {
			t.Errorf("%v: got %v allocations for %d DIEs, want 0", target, got, n)
		}
	}
}

// BenchmarkWalk visits every DIE of a real image. It opens the units again each time.
func BenchmarkWalk(b *testing.B) {
	image, err := os.ReadFile("../../../corpus/images/gcc12-x86_64-dwarf5-based.elf")
	if err != nil {
		b.Fatal(err)
	}
	d := open(b, image)
	b.SetBytes(int64(d.InfoSize()))
	b.ReportAllocs()
	var (
		u dwarf.Unit
		c dwarf.Cursor
	)
	for b.Loop() {
		for r := d.Units(); ; {
			more, err := r.Next(&u)
			if err != nil {
				b.Fatal(err)
			}
			if !more {
				break
			}
			if err := u.Open(); err != nil {
				b.Fatal(err)
			}
			walk(&c, &u)
		}
	}
}
