package encoder_test

import (
	"bytes"
	stdelf "debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A damage describes how one copy of an image was damaged.
type damage struct {
	sort    string // "zeroed block of 512 bytes"
	section string // the section, "ELF header" or "section headers"
	what    string // the changed bytes, for debugging
}

func (d damage) String() string { return d.sort + " in " + d.section + ": " + d.what }

// A patched image is a good image with some replaced bytes and possibly an earlier end. All copies share the good image.
type patched struct {
	good    io.ReaderAt
	size    int64
	patches []patch
}

type patch struct {
	off   int64
	bytes []byte
}

func (p *patched) ReadAt(b []byte, off int64) (int, error) {
	if off >= p.size {
		return 0, io.EOF
	}
	short := int64(len(b)) > p.size-off
	if short {
		b = b[:p.size-off]
	}
	n, err := p.good.ReadAt(b, off)
	for _, x := range p.patches {
		from, to := max(x.off, off), min(x.off+int64(len(x.bytes)), off+int64(n))
		if from < to {
			copy(b[from-off:to-off], x.bytes[from-x.off:])
		}
	}
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// set replaces bytes.
func (p *patched) set(off int64, b []byte) { p.patches = append(p.patches, patch{off, b}) }

// get returns bytes with all replacements so far.
func (p *patched) get(off int64, n int) []byte {
	b := make([]byte, n)
	_, _ = p.ReadAt(b, off) // bytes after the end stay 0
	return b
}

// A damager damages copies of one image.
type damager struct {
	good     io.ReaderAt
	size     int64
	order    binary.ByteOrder
	is64     bool
	shoff    int64
	sections []*stdelf.Section
	targets  []target
	refs     []int64 // file offsets of references, four bytes each
	units    []int64 // file offsets of the lengths of units
}

// A target is a range of the file that is damaged.
type target struct {
	name     string
	off, len int64
	header   int64 // file offset of its section header; 0 if there is none
}

// damagedSections are the sections that are damaged, if an image has them.
var damagedSections = []string{".debug_info", ".debug_abbrev", ".debug_str", ".debug_line_str", ".debug_str_offsets", ".debug_addr",
	".debug_loc", ".debug_loclists", ".debug_types", ".symtab", ".strtab", ".shstrtab", ".BTF_ids"}

func newDamager(t testing.TB, good io.ReaderAt, size int64) *damager {
	t.Helper()
	f, err := stdelf.NewFile(io.NewSectionReader(good, 0, size))
	if err != nil {
		t.Fatal(err)
	}
	d := &damager{good: good, size: size, order: f.ByteOrder, is64: f.Class == stdelf.ELFCLASS64, sections: f.Sections}
	p := d.copy()
	headerSize, entry := int64(52), int64(40)
	d.shoff = int64(d.order.Uint32(p.get(32, 4)))
	if d.is64 {
		headerSize, entry = 64, 64
		d.shoff = int64(d.order.Uint64(p.get(40, 8)))
	}
	d.targets = []target{{"ELF header", 0, headerSize, 0}, {"section headers", d.shoff, entry * int64(len(f.Sections)), 0}}
	for i, s := range f.Sections {
		relocates := (s.Type == stdelf.SHT_REL || s.Type == stdelf.SHT_RELA) && strings.Contains(s.Name, ".debug_")
		if s.FileSize == 0 || s.Type == stdelf.SHT_NOBITS || !relocates && !slices.Contains(damagedSections, s.Name) {
			continue
		}
		d.targets = append(d.targets, target{s.Name, int64(s.Offset), int64(s.FileSize), d.shoff + entry*int64(i)})
	}
	if info, abbrev := f.Section(".debug_info"), f.Section(".debug_abbrev"); info != nil && info.Flags&stdelf.SHF_COMPRESSED == 0 {
		d.findReferences(t, info, abbrev)
	}
	return d
}

func (d *damager) append() binary.AppendByteOrder { return d.order.(binary.AppendByteOrder) }

func (d *damager) copy() *patched { return &patched{good: d.good, size: d.size} }

// maxSearched is the number of bytes of .debug_info that are searched for references.
const maxSearched = 4 << 20

// findReferences finds the references of four bytes, and the units.
func (d *damager) findReferences(t testing.TB, info, abbrev *stdelf.Section) {
	t.Helper()
	tables, err := abbrev.Data()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, min(int64(info.Size), maxSearched))
	if _, err := d.good.ReadAt(b, int64(info.Offset)); err != nil {
		t.Fatal(err)
	}
	for off := 0; off+12 < len(b); {
		n := int(d.order.Uint32(b[off:]))
		if uint32(n) == 0xffffffff || off+4+n > len(b) { // the 64-bit format is rare
			return
		}
		d.units = append(d.units, int64(info.Offset)+int64(off))
		for _, at := range unitReferences(b[off:off+4+n], tables, d.order) {
			d.refs = append(d.refs, int64(info.Offset)+int64(off+at))
		}
		off += 4 + n
	}
}

// unitReferences returns the offsets of the references of four bytes in a unit of the 32-bit format. It stops at the first unknown form.
func unitReferences(unit, tables []byte, order binary.ByteOrder) (refs []int) {
	version, table, pos, addr := order.Uint16(unit[4:]), order.Uint32(unit[6:]), 11, int(unit[10])
	if version == 5 {
		table, pos, addr = order.Uint32(unit[8:]), 12, int(unit[7])
		if unit[6] == 2 { // a type unit
			pos += 12
		}
	}
	forms := abbrevForms(tables[table:])
	for pos < len(unit) {
		code, n := binary.Uvarint(unit[pos:])
		if n <= 0 {
			return refs
		}
		pos += n
		for _, f := range forms[code] {
			if f == 0x13 {
				refs = append(refs, pos)
			}
			n, ok := formSize(unit[min(pos, len(unit)):], f, addr, order)
			if !ok {
				return refs
			}
			pos += n
		}
	}
	return refs
}

// abbrevForms reads the forms of an abbreviation table, by code.
func abbrevForms(b []byte) map[uint64][]uint64 {
	forms := make(map[uint64][]uint64)
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[max(n, 0):]
		return v
	}
	for {
		code := next()
		if code == 0 || len(b) < 4 {
			return forms
		}
		next() // tag
		b = b[1:]
		for len(b) > 0 {
			name, form := next(), next()
			if name == 0 && form == 0 {
				break
			}
			if form == 0x21 { // DW_FORM_implicit_const: the value is in the table
				for len(b) > 1 && b[0] >= 0x80 {
					b = b[1:]
				}
				b = b[1:]
			}
			forms[code] = append(forms[code], form)
		}
	}
}

// formSize returns the size of a value.
func formSize(b []byte, form uint64, addr int, order binary.ByteOrder) (n int, ok bool) {
	switch form {
	case 0x01:
		return addr, true
	case 0x0b, 0x0c, 0x11, 0x25, 0x29:
		return 1, true
	case 0x05, 0x12, 0x26, 0x2a:
		return 2, true
	case 0x06, 0x0e, 0x10, 0x13, 0x17, 0x1f, 0x28, 0x2c:
		return 4, true
	case 0x07, 0x14, 0x20:
		return 8, true
	case 0x1e:
		return 16, true
	case 0x19, 0x21:
		return 0, true
	case 0x0d, 0x0f, 0x1a, 0x1b, 0x22, 0x23:
		_, n := binary.Uvarint(b)
		return n, n > 0
	case 0x09, 0x18:
		v, n := binary.Uvarint(b)
		return n + int(v), n > 0
	case 0x0a:
		return 1 + int(append(b, 0)[0]), len(b) > 0
	case 0x08:
		n := bytes.IndexByte(b, 0)
		return n + 1, n >= 0
	}
	return 0, false
}

// damage returns a damaged copy.
func (d *damager) damage(r *rand.Rand) (*patched, damage) {
	p := d.copy()
	t := d.targets[r.IntN(len(d.targets))]
	x := damage{section: t.name}
	ways := []func(*patched, *target, *rand.Rand, *damage){d.flip, d.flip, d.zero, d.zero, d.truncate, d.resize, d.misrefer}
	for x.sort == "" {
		ways[r.IntN(len(ways))](p, &t, r, &x)
	}
	return p, x
}

// flip flips some bits.
func (d *damager) flip(p *patched, t *target, r *rand.Rand, x *damage) {
	x.sort = "flipped bits"
	for range 1 + r.IntN(3) {
		at, bit := t.off+r.Int64N(t.len), byte(1)<<r.IntN(8)
		b := p.get(at, 1)
		p.set(at, []byte{b[0] ^ bit})
		x.what += fmt.Sprintf("%#x in byte %#x, ", bit, at-t.off)
	}
}

// zero zeroes a disk block.
func (d *damager) zero(p *patched, t *target, r *rand.Rand, x *damage) {
	size := []int64{512, 4096}[r.IntN(2)]
	if t.header == 0 && t.name == "ELF header" {
		return // it would be no ELF file
	}
	at := (t.off + r.Int64N(t.len)) / size * size
	from, to := max(at, t.off), min(at+size, t.off+t.len)
	p.set(from, make([]byte, to-from))
	x.sort, x.what = fmt.Sprintf("zeroed block of %d bytes", size), fmt.Sprintf("%#x to %#x", from-t.off, to-t.off)
}

// truncate cuts the end of the file or of a section.
func (d *damager) truncate(p *patched, t *target, r *rand.Rand, x *damage) {
	n := r.Int64N(t.len)
	if t.header == 0 || r.IntN(3) == 0 {
		p.size = t.off + n
		x.sort, x.what = "truncated file", fmt.Sprintf("%#x bytes", p.size)
		return
	}
	x.sort, x.what = "truncated section", fmt.Sprintf("%#x of %#x bytes", n, t.len)
	d.put(p, t.header, 20, 32, uint64(n))
}

// put sets a field of a section header, at its offset in a 32-bit or 64-bit header.
func (d *damager) put(p *patched, header, at32, at64 int64, v uint64) {
	if d.is64 {
		p.set(header+at64, d.append().AppendUint64(nil, v))
	} else {
		p.set(header+at32, d.append().AppendUint32(nil, uint32(v)))
	}
}

// resize damages an offset or a size: in a section header, or the length of a unit.
func (d *damager) resize(p *patched, t *target, r *rand.Rand, x *damage) {
	x.sort = "size"
	if t.name == ".debug_info" && len(d.units) > 0 && r.IntN(2) == 0 {
		at := d.units[r.IntN(len(d.units))]
		old := d.order.Uint32(p.get(at, 4))
		v := []uint32{0, 1, old - 1, old + 1, old / 2, old * 2, r.Uint32()}[r.IntN(7)]
		p.set(at, d.append().AppendUint32(nil, v))
		x.what = fmt.Sprintf("unit at %#x: %#x instead of %#x", at-t.off, v, old)
		return
	}
	if t.header == 0 {
		x.sort = ""
		return
	}
	fields := []struct {
		name       string
		at32, at64 int64
		wide       bool // it has the size of an address
	}{{"offset", 16, 24, true}, {"size", 20, 32, true}, {"link", 24, 40, false}, {"info", 28, 44, false}, {"alignment", 32, 48, true},
		{"entry size", 36, 56, true}, {"type", 4, 4, false}, {"flags", 8, 8, true}}
	f := fields[r.IntN(len(fields))]
	v := []uint64{0, 1, uint64(r.IntN(64)), uint64(r.Int64N(d.size)), uint64(r.Uint32()), 1 << 62}[r.IntN(6)]
	x.what = fmt.Sprintf("%s: %#x", f.name, v)
	if f.wide {
		d.put(p, t.header, f.at32, f.at64, v)
		return
	}
	at := t.header + f.at32
	if d.is64 {
		at = t.header + f.at64
	}
	p.set(at, d.append().AppendUint32(nil, uint32(v)))
}

// misrefer changes the target of a reference.
func (d *damager) misrefer(p *patched, t *target, r *rand.Rand, x *damage) {
	if t.name != ".debug_info" || len(d.refs) == 0 {
		return
	}
	at := d.refs[r.IntN(len(d.refs))]
	old := d.order.Uint32(p.get(at, 4))
	v := []uint32{0, 0x7fffffff, 0xffffffff, old + 1, old - 1, old ^ 1<<r.IntN(16), uint32(r.Int64N(t.len)), r.Uint32()}[r.IntN(8)]
	p.set(at, d.append().AppendUint32(nil, v))
	x.sort, x.what = "reference", fmt.Sprintf("at %#x: %#x instead of %#x", at-t.off, v, old)
}
