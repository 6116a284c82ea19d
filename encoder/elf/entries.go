package elf

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// A relocation is one entry of a REL or RELA section.
type relocation struct {
	off    uint64
	sym    uint32
	kind   uint32
	addend int64
}

// entries reads the entries of a relocation section in pieces. A module has a million of them, nearly all with one of a few symbols, so the
// addresses of the symbols that were looked up last are kept.
type entries struct {
	f    *File
	rel  *Section
	syms *Symbols
	size int // of an entry, in bytes
	rela bool
	mips bool   // 64-bit MIPS has its own r_info
	swap bool   // big endian
	at   uint64 // offset of the next piece
	zero bool   // the last entry that was checked is zero
	buf  []byte
	kept [64]relocationSymbol
	same repeated // see plain
	last uint64   // offset of the last plain entry
}

// A relocationSymbol is a symbol as relocations need it.
type relocationSymbol struct {
	next    uint32 // its number plus 1
	section uint32
	addr    uint64
	defined bool // it is in a section that the file has
}

// entriesAtOnce is the number of entries in a piece.
const entriesAtOnce = 2048

// openEntries prepares to read a relocation section.
func (f *File) openEntries(rel *Section) (*entries, error) {
	syms, err := f.Symbols()
	if err == nil && syms == nil {
		err = &FormatError{rel.place(), 0, "relocations without a symbol table"}
	}
	if err != nil {
		return nil, err
	}
	e := &entries{f: f, rel: rel, syms: syms, size: 2 * f.AddrSize(), rela: rel.Type == elf.SHT_RELA, mips: f.Machine == elf.EM_MIPS,
		swap: f.Order == binary.ByteOrder(binary.BigEndian)}
	if e.rela {
		e.size += f.AddrSize()
	}
	return e, nil
}

// whole reports whether the section has whole entries only, as far as its size says that: of a compressed one, next has to.
func (e *entries) whole() bool { return e.rel.compressed() || e.rel.Size%uint64(e.size) == 0 }

// next returns the bytes of the next entries; none after the last piece. A section whose size is not a multiple of an entry's ends with a part of
// one.
func (e *entries) next() (b []byte, err error) {
	if e.rel.compressed() {
		if e.at != 0 {
			return nil, nil
		}
		b, err = e.f.unrelocated(e.rel)
		e.at = uint64(len(b))
		return b, err
	}
	if !e.rel.HasData() {
		return nil, nil
	}
	if e.at == 0 {
		if err := e.f.checkPlace(e.rel); err != nil {
			return nil, err
		}
		if n := min(e.rel.Size, uint64(entriesAtOnce*e.size)); n > uint64(cap(e.buf)) {
			e.buf = make([]byte, n)
		} else {
			e.buf = e.buf[:n]
		}
	}
	b = e.buf[:min(uint64(len(e.buf)), e.rel.Size-e.at)]
	if err := e.f.readAt(b, e.rel.Off+e.at, e.rel.place()); err != nil {
		return nil, err
	}
	e.at += uint64(len(b))
	return b, nil
}

// parse decodes the entry at the start of b.
func (e *entries) parse(b []byte) (r relocation) {
	le := binary.LittleEndian
	if e.size < 16 {
		off, info, addend := le.Uint32(b), le.Uint32(b[4:]), uint32(0)
		if e.rela {
			addend = le.Uint32(b[8:])
		}
		if e.swap {
			off, info, addend = bits.ReverseBytes32(off), bits.ReverseBytes32(info), bits.ReverseBytes32(addend)
		}
		return relocation{uint64(off), info >> 8, info & 0xff, int64(int32(addend))}
	}
	off, info, addend := le.Uint64(b), le.Uint64(b[8:]), uint64(0)
	if e.rela {
		addend = le.Uint64(b[16:])
	}
	if e.swap {
		off, info, addend = bits.ReverseBytes64(off), bits.ReverseBytes64(info), bits.ReverseBytes64(addend)
	}
	if e.mips { // symbol (32), special symbol (8), then three types (8 each)
		return relocation{off, e.f.Order.Uint32(b[8:]), uint32(b[15]), int64(addend)}
	}
	return relocation{off, uint32(info >> 32), uint32(info), int64(addend)}
}

// symbol returns a symbol, whose number must be one of the table.
func (e *entries) symbol(i uint32) *relocationSymbol {
	s := &e.kept[i%uint32(len(e.kept))]
	if s.next != i+1 {
		sym := e.syms.at(i)
		*s = relocationSymbol{i + 1, sym.Section, e.f.symbolAddr(sym), sym.Section != 0 && uint64(sym.Section) < uint64(len(e.f.Sections))}
	}
	return s
}

// plain applies the relocations at the start of data that are plain: they set four bytes in b, which are those of a section from an offset on, and their
// symbol is defined and was looked up before. Their offsets ascend. It returns the number of bytes of these entries. Nearly all entries for debug
// sections of 64-bit files are plain, and most have the symbol of the one before, so the loop does nothing that only others need.
func (e *entries) plain(data, b []byte, from uint64, kinds []relKind, names *MergedStrings) (n int) {
	const size = 24
	if e.size != size || e.mips || len(b) < 4 {
		return 0
	}
	le := binary.LittleEndian
	same, last, reach := e.same, e.last, uint64(len(b)-4)
	for ; n+size <= len(data); n += size {
		entry := data[n:][:size]
		off, info, addend := le.Uint64(entry), le.Uint64(entry[8:]), le.Uint64(entry[16:])
		if e.swap {
			off, info, addend = bits.ReverseBytes64(off), bits.ReverseBytes64(info), bits.ReverseBytes64(addend)
		}
		if info != same.info || info == 0 {
			if !e.setsWord(info, kinds, names, &same) {
				break
			}
		}
		at := off - from
		if off < last || at > reach {
			break
		}
		last = off
		v := same.addr + addend
		if same.names {
			v = names.first(v)
		}
		w := uint32(v)
		if e.swap {
			w = bits.ReverseBytes32(w)
		}
		le.PutUint32(b[at:], w)
	}
	e.same, e.last = same, last
	return n
}

// A repeated is what entries with one type and symbol have in common.
type repeated struct {
	info  uint64 // their type and symbol; 0 for none
	addr  uint64 // of the symbol
	names bool   // the symbol is in the section with the merged names
}

// setsWord reports whether entries with a type and symbol set four bytes, and their symbol is defined and was looked up before.
func (e *entries) setsWord(info uint64, kinds []relKind, names *MergedStrings, r *repeated) bool {
	kind, i := uint32(info), uint32(info>>32)
	sym := &e.kept[i%uint32(len(e.kept))]
	if uint64(kind) >= uint64(len(kinds)) || kinds[kind] != set32 || sym.next != i+1 || !sym.defined {
		return false
	}
	*r = repeated{info, sym.addr, names != nil && sym.section == names.section}
	return true
}

// ignored returns the number of bytes of the entries at the start of data that do nothing, or whose type is not in kinds.
func (e *entries) ignored(data []byte, kinds []relKind) (n int) {
	const size = 24
	if e.size != size || e.mips {
		return 0
	}
	for ; n+size <= len(data); n += size {
		kind := binary.LittleEndian.Uint32(data[n+8:])
		if e.swap {
			kind = bits.ReverseBytes32(binary.LittleEndian.Uint32(data[n+12:]))
		}
		if uint64(kind) < uint64(len(kinds)) && kinds[kind].op > relNone {
			break
		}
	}
	return n
}

// apply applies a relocation to the bytes b, which start at its offset.
func (e *entries) apply(b []byte, k relKind, r *relocation, sym *relocationSymbol, names *MergedStrings) {
	if k.op != relSet || k.size != 4 || !e.rela {
		e.f.patch(b, k, sym.addr, r.addend, e.rela)
		if names != nil && sym.section == names.section && k.op == relSet {
			e.f.store(b, k.size, names.first(e.f.load(b, k.size)))
		}
		return
	}
	v := sym.addr + uint64(r.addend)
	if names != nil && sym.section == names.section {
		v = names.first(v)
	}
	w := uint32(v)
	if e.swap {
		w = bits.ReverseBytes32(w)
	}
	binary.LittleEndian.PutUint32(b, w)
}

// check returns an error if the size of the section is not a multiple of an entry's, or if the section has two zero entries in a row. A zero
// entry does nothing, so a linker has no reason to write two; zeroed blocks of a disk look like that. data is a piece that starts at an offset
// of the section.
func (e *entries) check(at uint64, data []byte) error {
	n := uint64(len(data)) % uint64(e.size)
	if n != 0 || e.rel.EntSize != 0 && e.rel.EntSize != uint64(e.size) {
		return &FormatError{e.rel.place(), at + uint64(len(data)) - n, fmt.Sprintf("%d bytes in entries of %d bytes, want entries of %d bytes", e.rel.Size, e.rel.EntSize, e.size)}
	}
	for ; len(data) > 0; data, at = data[e.size:], at+uint64(e.size) {
		zero := isZero(data[:e.size])
		if zero && e.zero {
			return &FormatError{e.rel.place(), at - uint64(e.size), "entries are zeroed"}
		}
		e.zero = zero
	}
	return nil
}
