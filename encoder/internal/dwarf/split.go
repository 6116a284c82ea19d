package dwarf

import (
	"errors"
	"fmt"
	"sync"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// Split DWARF keeps most of a unit in another file. The image contains only a skeleton with the addresses of the unit. The contents are in a
// .dwo file with this unit, or in a .dwp file with many units (DWARF 5, section 7.3).

// Skeleton reports whether the contents of an opened unit are in another file.
func (u *Unit) Skeleton() bool { return u.DwoName != 0 && !u.d.split }

// ErrNoSplit says that a file does not contain the wanted split unit.
var ErrNoSplit = errors.New("not the file of that unit")

// splitSections are the sections that a split unit can use, with their numbers in the index of a .dwp file of version 2 (DWARF 4) and of
// version 5.
var splitSections = []struct {
	name   string
	v2, v5 uint32
}{
	{".debug_info.dwo", 1, 1}, {".debug_abbrev.dwo", 3, 3}, {".debug_str_offsets.dwo", 6, 6}, {".debug_loclists.dwo", 0, 5}, {".debug_loc.dwo", 5, 0},
}

// A Split is a .dwo or .dwp file that was read into memory. It may be used by several goroutines at the same time.
type Split struct {
	file     *elf.File
	main     *Data
	str      []byte
	sections []section // as in splitSections
	tables   tables
	index    map[uint64][]extent
	once     sync.Once         // for the fields below
	units    map[uint64]uint64 // if there is no index: offsets of units, by DWO ID
	unitsErr error             // the error that ended the search for units
}

// An extent is a part of a section.
type extent struct{ off, size uint64 }

// OpenSplit reads a .dwo or .dwp file of the image d.
func (d *Data) OpenSplit(f *elf.File) (*Split, error) {
	if f.Order != d.order {
		return nil, &elf.FormatError{Section: "ELF header", Offset: 5, Problem: "byte order is not that of the image"}
	}
	s := &Split{file: f, main: d}
	load := func(name string) (section, error) {
		sec, err := openSection(f, name, nil)
		if err == nil {
			err = sec.load()
		}
		if sec.whole == nil {
			sec.whole = make([]byte, slack)
		}
		return sec, err
	}
	for _, e := range splitSections {
		sec, err := load(e.name)
		if err != nil {
			return nil, err
		}
		s.sections = append(s.sections, sec)
	}
	str, err := load(".debug_str.dwo")
	if err != nil {
		return nil, err
	}
	s.str = str.whole[:str.size]
	index, err := load(".debug_cu_index")
	if err == nil && index.size != 0 {
		err = s.readIndex(index.whole[:index.size])
	}
	return s, err
}

// readIndex reads the table of a .dwp file (DWARF 5, section 7.3.5.3).
func (s *Split) readIndex(b []byte) error {
	bad := func(problem string) error {
		return &elf.FormatError{Section: ".debug_cu_index", Problem: problem}
	}
	u32 := func(i uint64) uint64 { return uint64(s.main.order.Uint32(b[i:])) }
	if len(b) < 16 {
		return bad("header is cut short")
	}
	v5 := s.main.order.Uint16(b) == 5
	if !v5 && u32(0) != 2 {
		return bad(fmt.Sprintf("version %d is not supported", u32(0)))
	}
	columns, units, slots := u32(4), u32(8), u32(12)
	rows := 16 + 12*slots               // where the rows start: one of section numbers, and one of offsets per unit
	sizes := rows + 4*columns*(1+units) // where the rows of sizes start, one per unit
	if columns > 16 || units > 1<<28 || slots > 1<<29 || sizes+4*columns*units > uint64(len(b)) {
		return bad("table is cut short")
	}
	s.index = make(map[uint64][]extent)
	for i := range slots {
		row := u32(16 + 8*slots + 4*i)
		if row == 0 || row > units {
			continue
		}
		parts := make([]extent, len(splitSections))
		for c := range columns {
			for j, e := range splitSections {
				if n := u32(rows + 4*c); n != 0 && (v5 && n == uint64(e.v5) || !v5 && n == uint64(e.v2)) {
					parts[j] = extent{u32(rows + 4*(columns*row+c)), u32(sizes + 4*(columns*(row-1)+c))}
				}
			}
		}
		s.index[s.main.order.Uint64(b[16+8*i:])] = parts
	}
	return nil
}

// Unit opens the contents of a skeleton in u. The error wraps ErrNoSplit if the file has no unit with its DWO ID.
func (s *Split) Unit(skeleton, u *Unit) error {
	d := &Data{File: s.file, tables: &s.tables, order: s.main.order, swap: s.main.swap, keys: s.main.keys, addr: s.main.addr, split: true}
	d.Strings.str = s.str
	parts := s.index[skeleton.dwoID]
	if s.index != nil && parts == nil {
		return fmt.Errorf("unit %016x: %w", skeleton.dwoID, ErrNoSplit)
	}
	views := make([]section, len(s.sections))
	for i, sec := range s.sections {
		views[i] = sec
		if parts == nil {
			continue
		}
		p := parts[i]
		if p.off > sec.size || p.size > sec.size-p.off {
			return sec.err(p.off, "the %d bytes of unit %016x reach past the end of the section (%d bytes)", p.size, skeleton.dwoID, sec.size)
		}
		views[i].size, views[i].whole, views[i].base = p.size, sec.whole[p.off:p.off+p.size+slack], p.off
	}
	d.info, d.abbrev, d.lists, d.loc = views[0], views[1], views[3], views[4]
	d.abbrev.all = s.sections[1].size
	d.strOff = views[2].whole[:views[2].size]
	r := d.Units()
	if parts == nil {
		s.once.Do(func() { s.findUnits(d) })
		off, ok := s.units[skeleton.dwoID]
		if !ok && s.unitsErr != nil {
			return s.unitsErr
		}
		if r.off = off; !ok {
			r.off = d.info.size
		}
	}
	for range maxContribution {
		more, err := r.Next(u)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err := u.Open(); err != nil {
			return err
		}
		if u.Tag == TagCompileUnit && u.dwoID == skeleton.dwoID {
			u.Index, u.addrBase = skeleton.Index, skeleton.addrBase
			return nil
		}
	}
	return fmt.Errorf("unit %016x: %w", skeleton.dwoID, ErrNoSplit)
}

// maxContribution is the number of units that are searched in the part of a file that belongs to a skeleton. By the standard it has one unit.
const maxContribution = 64

// findUnits indexes the units of a file without index, so that the file is not searched again for each skeleton.
func (s *Split) findUnits(d *Data) {
	s.units = make(map[uint64]uint64)
	var u Unit
	for r := d.Units(); ; {
		more, err := r.Next(&u)
		if err == nil && more {
			err = u.Open()
		}
		if s.unitsErr = err; err != nil || !more {
			return
		}
		if _, ok := s.units[u.dwoID]; !ok && u.Tag == TagCompileUnit {
			s.units[u.dwoID] = u.Off
		}
	}
}

// SplitID returns the DWO ID, which is the same in a skeleton and its contents.
func (u *Unit) SplitID() uint64 { return u.dwoID }

// Entries of .debug_loc.dwo before DWARF 5 (GNU extension).
const (
	gnuEnd = iota
	gnuBase
	gnuStartEnd
	gnuStartLength
)

// listGNU walks a list of .debug_loc.dwo. An entry has a byte with its kind, its addresses, two bytes with the length, and the expression.
func (l *Locations) listGNU(u *Unit, off uint64, visit func(int, []Op, []byte) bool) {
	for k := 0; ; {
		b := l.bytes(&u.d.loc, off, entryMax)
		if len(b) == 0 {
			return
		}
		pos := 1
		switch b[0] {
		case gnuBase:
			_, pos = uleb(b, pos)
		case gnuStartEnd:
			if _, pos = uleb(b, pos); pos != 0 {
				_, pos = uleb(b, pos)
			}
		case gnuStartLength:
			if _, pos = uleb(b, pos); pos != 0 {
				pos += 4
			}
		default: // the end, or an entry that cannot be decoded
			return
		}
		if pos == 0 || pos+2 > len(b) {
			return
		}
		if b[0] == gnuBase {
			off += uint64(pos)
			continue
		}
		n := uint64(u.d.order.Uint16(b[pos:]))
		off += uint64(pos + 2)
		if !l.visitEntry(u, &u.d.loc, off, n, k, visit) {
			return
		}
		off += n
		k++
	}
}
