package dwarf_test

import (
	stddwarf "debug/dwarf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// linkTags are the tags of links.
var linkTags = map[dwarf.Tag]bool{dwarf.TagPointerType: true, dwarf.TagConstType: true, dwarf.TagVolatileType: true, dwarf.TagRestrictType: true,
	dwarf.TagTypedef: true}

// TestLinks: Link and Composite agree with Read about every DIE of real images. Link knows most of the pointers, qualified types and typedefs, and
// Composite most of the structs and unions.
func TestLinks(t *testing.T) {
	paths, err := filepath.Glob("../../../corpus/images/gcc*.elf")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no images (%v)", err)
	}
	links, candidates, composites, structs := 0, 0, 0, 0
	for _, path := range paths {
		if strings.Contains(path, "lto") {
			continue
		}
		image, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		u := firstUnit(t, open(t, image))
		var c dwarf.Cursor
		c.Start(u)
		for pos, depth := c.Next, 0; ; pos = c.Next {
			l, next := c.Link(pos)
			s, child := c.Composite(pos)
			kind := c.KindAt(pos)
			a := c.Read(pos)
			if a == nil {
				depth--
			} else if a.Children {
				depth++
			}
			if a != nil && linkTags[a.Tag] {
				candidates++
			}
			if next != 0 {
				links++
				ref, _ := c.Ref(dwarf.SlotType)
				if a == nil || l.Tag != a.Tag || !linkTags[a.Tag] || a.Children || next != c.Next || l.Ref != uint32(ref) || ref == 0 || l.Name != c.Name() ||
					(l.Name != 0) != (a.Tag == dwarf.TagTypedef) || a.Tag != dwarf.TagPointerType && c.Value(dwarf.SlotSize) != 0 {
					t.Fatalf("%s: DIE at %#x: got link %+v, next %#x, want what Read returns: %+v, next %#x", path, pos, l, next, a, c.Next)
				}
			}
			if next != 0 && kind != dwarf.RunLinks || child != 0 && kind != dwarf.RunComposites {
				t.Fatalf("%s: DIE at %#x: got kind %d", path, pos, kind)
			}
			if a != nil && a.Children && (a.Tag == dwarf.TagStructureType || a.Tag == dwarf.TagUnionType) {
				structs++
			}
			if child != 0 {
				composites++
				if a == nil || !a.Children || a.Tag != dwarf.TagStructureType && a.Tag != dwarf.TagUnionType || s.Union != (a.Tag == dwarf.TagUnionType) ||
					child != c.Next || s.Name != c.Name() || uint64(s.Size) != c.Value(dwarf.SlotSize) || !c.Only(dwarf.SlotName, dwarf.SlotNameKey, dwarf.SlotSize, dwarf.SlotSibling) {
					t.Fatalf("%s: DIE at %#x: got composite %+v, child %#x, want what Read returns: %+v, next %#x", path, pos, s, child, a, c.Next)
				}
			}
			if depth <= 0 || c.Err != nil {
				break
			}
		}
		if c.Err != nil {
			t.Fatal(c.Err)
		}
	}
	if 10*links < 8*candidates || links == 0 {
		t.Errorf("%d of %d pointers, qualified types and typedefs are links, want nearly all", links, candidates)
	}
	if 10*composites < 7*structs || composites == 0 {
		t.Errorf("%d of %d structs and unions are read at once, want nearly all", composites, structs)
	}
}

// TestNoLinks: DIEs that other code must read, because they have no type, a name, a size or an error, are no links.
func TestNoLinks(t *testing.T) {
	ref := func(v uint64) synth.Attr { return synth.Num(stddwarf.AttrType, synth.FormRef4, v) }
	rows := []struct {
		name  string
		tag   stddwarf.Tag
		attrs []synth.Part
		link  bool
	}{
		{"pointer", stddwarf.TagPointerType, []synth.Part{ref(11)}, true},
		{"pointer to void", stddwarf.TagPointerType, nil, false},
		{"pointer to the unit header", stddwarf.TagPointerType, []synth.Part{ref(0)}, false},
		{"pointer out of the unit", stddwarf.TagPointerType, []synth.Part{ref(0xffffffff)}, false},
		{"pointer with a name", stddwarf.TagPointerType, []synth.Part{synth.Str(stddwarf.AttrName, synth.FormStrp, "p"), ref(11)}, false},
		{"const", stddwarf.TagConstType, []synth.Part{ref(11)}, true},
		{"const with a size", stddwarf.TagConstType, []synth.Part{synth.Num(stddwarf.AttrByteSize, synth.FormData1, 4), ref(11)}, false},
		{"typedef", stddwarf.TagTypedef, []synth.Part{synth.Str(stddwarf.AttrName, synth.FormStrp, "t"), ref(11)}, true},
		{"typedef without a name", stddwarf.TagTypedef, []synth.Part{ref(11)}, false},
		{"typedef with a name outside .debug_str", stddwarf.TagTypedef, []synth.Part{synth.Num(stddwarf.AttrName, synth.FormStrp, 1<<30), ref(11)}, false},
		{"struct", stddwarf.TagStructType, []synth.Part{synth.Str(stddwarf.AttrName, synth.FormStrp, "s"), ref(11)}, false},
	}
	for _, r := range rows {
		for _, target := range synth.Targets() {
			b := synth.New(target)
			b.CU("a.c", synth.C11).DIE(r.tag, r.attrs...)
			u := firstUnit(t, open(t, b.Bytes()))
			var c dwarf.Cursor
			c.Start(u)
			c.Read(c.Next) // the root
			if _, next := c.Link(c.Next); (next != 0) != r.link {
				t.Errorf("%s, %v: got %v, want %v", r.name, target, next != 0, r.link)
			}
		}
	}
}

// TestNoComposites: structs and unions that other code must read are not read at once.
func TestNoComposites(t *testing.T) {
	name, size := synth.Str(stddwarf.AttrName, synth.FormStrp, "s"), synth.Num(stddwarf.AttrByteSize, synth.FormData1, 4)
	rows := []struct {
		name      string
		tag       stddwarf.Tag
		attrs     []synth.Part
		children  bool
		composite bool
	}{
		{"struct", stddwarf.TagStructType, []synth.Part{name, size}, true, true},
		{"union without a name", stddwarf.TagUnionType, []synth.Part{synth.Num(stddwarf.AttrByteSize, synth.FormData4, 4)}, true, true},
		{"struct without children", stddwarf.TagStructType, []synth.Part{name, size}, false, false},
		{"class", stddwarf.TagClassType, []synth.Part{name, size}, true, false},
		{"declaration", stddwarf.TagStructType, []synth.Part{name, synth.Num(stddwarf.AttrDeclaration, synth.FormFlag, 1)}, true, false},
		{"specification", stddwarf.TagStructType, []synth.Part{synth.Num(stddwarf.AttrSpecification, synth.FormRef4, 11), size}, true, false},
		{"size of eight bytes", stddwarf.TagStructType, []synth.Part{name, synth.Num(stddwarf.AttrByteSize, synth.FormData8, 4)}, true, false},
		{"name outside .debug_str", stddwarf.TagStructType, []synth.Part{synth.Num(stddwarf.AttrName, synth.FormStrp, 1<<30), size}, true, false},
	}
	for _, r := range rows {
		for _, target := range synth.Targets() {
			b := synth.New(target)
			s := b.CU("a.c", synth.C11).DIE(r.tag, r.attrs...)
			if r.children {
				s.DIE(stddwarf.TagMember)
			}
			u := firstUnit(t, open(t, b.Bytes()))
			var c dwarf.Cursor
			c.Start(u)
			c.Read(c.Next) // the root
			if _, child := c.Composite(c.Next); (child != 0) != r.composite {
				t.Errorf("%s, %v: got %v, want %v", r.name, target, child != 0, r.composite)
			}
		}
	}
}
