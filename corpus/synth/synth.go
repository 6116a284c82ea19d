// Package synth builds small ELF images with DWARF in memory, for unit tests and fuzz seeds.
//
// Input: a Target (word size, byte order, machine, file type, DWARF version), and calls that add sections, symbols, units and DIEs.
// Output: the bytes of one ELF file. Both word sizes, both byte orders and DWARF 2 to 5 are supported, with every attribute form.
// The package writes whatever the caller asks for, including nonsense that no compiler would write. Never: it does not read files.
// Misuse (a reference to a DIE that is in no unit, a value too wide for its form) panics, because the caller is a test.
//
//	b := synth.New(synth.Target{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64, Type: elf.ET_EXEC, DWARF: 5})
//	percpu := b.Data(".data..percpu", 0x1000, 64)
//	cu := b.CU("a.c", synth.C11)
//	i := cu.Base("int", 4, synth.Signed)
//	s := cu.Struct("s", 8, synth.Member{Name: "a", Type: i}, synth.Member{Name: "b", Type: i, Off: 4})
//	cu.Var("v", s, percpu.At(8))
//	image := b.Bytes()
package synth

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// A Target says what kind of file is built.
type Target struct {
	Class   elf.Class        // ELFCLASS64 if zero
	Order   binary.ByteOrder // little-endian if nil
	Machine elf.Machine      // EM_X86_64 or, for 32 bits, EM_386 if zero
	Type    elf.Type         // ET_EXEC if zero; in ET_REL files every address and section offset gets a relocation
	DWARF   int              // DWARF version of units without the option Version; 5 if zero

	Compress   Compression // how debug sections are stored
	EmitRelocs bool        // a linked file that keeps its relocations, already applied
	NoSymtab   bool        // no .symtab at all (not in ET_REL)
	XIndex     bool        // every symbol has its section index in a SHT_SYMTAB_SHNDX table
	OwnStrings bool        // every unit has its own strings in .debug_str, as in a relocatable file of several that were joined
}

func (t Target) String() string {
	order := "le"
	if t.Order != nil && t.Order.String() == "BigEndian" {
		order = "be"
	}
	return fmt.Sprintf("%s-%s-%s-%s-dwarf%d", t.Class, order, t.Machine, t.Type, t.DWARF)
}

func (t Target) withDefaults() Target {
	if t.Class == elf.ELFCLASSNONE {
		t.Class = elf.ELFCLASS64
	}
	if t.Order == nil {
		t.Order = binary.LittleEndian
	}
	if t.Machine == elf.EM_NONE {
		t.Machine = elf.EM_X86_64
		if t.Class == elf.ELFCLASS32 {
			t.Machine = elf.EM_386
		}
	}
	if t.Type == elf.ET_NONE {
		t.Type = elf.ET_EXEC
	}
	if t.DWARF == 0 {
		t.DWARF = 5
	}
	return t
}

// addrSize is the number of bytes of an address.
func (t Target) addrSize() int {
	if t.Class == elf.ELFCLASS32 {
		return 4
	}
	return 8
}

// A Builder collects the parts of one image.
type Builder struct {
	target   Target
	sections []*Section
	symbols  []*Symbol
	units    []*CU
	relocs   []lateReloc
	patches  []patch
	built    bool
}

// New starts an empty image.
func New(t Target) *Builder {
	return &Builder{target: t.withDefaults()}
}

// Target returns the target with the defaults filled in.
func (b *Builder) Target() Target { return b.target }

// A patch overwrites bytes of a finished section.
type patch struct {
	section string
	off     uint64
	data    []byte
}

// Patch overwrites bytes of a section after it is built and before it is compressed. Tests use it to damage an image.
// Debug sections are named as if uncompressed.
func (b *Builder) Patch(section string, off uint64, data ...byte) {
	b.patches = append(b.patches, patch{section, off, data})
}

// Bytes builds the file. It is called once, at the end.
func (b *Builder) Bytes() []byte {
	if b.built {
		panic("synth: Bytes called twice")
	}
	b.built = true
	im := &image{target: b.target, sections: append([]*Section(nil), b.sections...)}
	im.debug = map[string]*Section{}
	for _, u := range b.units {
		u.collect(im)
	}
	// From here on, every string, address and list has its place. Only offsets of DIEs are still unknown.
	for pass := 0; !layoutUnits(im, b.units); pass++ {
		if pass == 64 {
			panic("synth: offsets of DIEs do not settle")
		}
	}
	im.addDebugSections()
	for _, p := range b.patches {
		copy(im.section(p.section).data[p.off:], p.data)
	}
	return im.file(b.symbols, b.relocs)
}
