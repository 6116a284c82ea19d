package dump

import (
	"bytes"
	"hash/maphash"
	"strconv"
)

// name returns the string at an offset, and nothing if the offset is out of range.
func (p *cPrinter) name(off uint32) []byte {
	if int(off) >= len(p.text) {
		return nil
	}
	s := p.text[off:]
	return s[:max(bytes.IndexByte(s, 0), 0)]
}

// named reports whether the string at an offset is not empty.
func (p *cPrinter) named(off uint32) bool { return int(off) < len(p.text) && p.text[off] != 0 }

// A declaredName is a name as it is printed: the string at an offset, followed by ___ and a number if it is the name of several types or
// enumerators, and this is not the first of them.
type declaredName struct {
	off uint32
	nth uint32 // 0 and 1 are not printed
}

// maxNumbered is the length to which a name with a number is cut.
const maxNumbered = 255

func (p *cPrinter) appendName(n declaredName) {
	at := len(p.buf)
	if p.buf = appendText(p.buf, p.text, n.off); n.nth > 1 {
		p.appendNumber(n, at)
	}
}

// appendNumber appends the number of a name that starts at byte at of the buffer.
func (p *cPrinter) appendNumber(n declaredName, at int) {
	p.buf = strconv.AppendUint(append(p.buf, "___"...), uint64(n.nth), 10)
	p.buf = p.buf[:min(len(p.buf), at+maxNumbered)]
}

// uniqueName returns the name to print for a type: its own name for the first type that has it, and a numbered one for later ones. It is
// chosen on first use and then kept.
func (p *cPrinter) uniqueName(id uint32, uses *nameUses) declaredName {
	off, nth := p.words[p.start[id]], p.nth[id]
	if nth == 0 {
		nth = p.count(off, uses)
		p.nth[id] = nth
	}
	return declaredName{off, nth}
}

// count counts one more use of a name, and returns which use it is. The empty name is not counted.
func (p *cPrinter) count(off uint32, uses *nameUses) uint32 {
	if !p.named(off) {
		return 0
	}
	return uses.count(p, off)
}

// nameUses counts how often names are used. Names are equal if their text is: one text may have several offsets.
type nameUses struct {
	slots []nameUse // open addressing, a power of two
	used  int
	seed  maphash.Seed
}

type nameUse struct {
	hash  uint32
	off   uint32
	count uint32 // 0 means that the slot is free
}

func newNameUses(expected int) nameUses {
	n := 64
	for 3*n < 4*expected {
		n *= 2
	}
	return nameUses{slots: make([]nameUse, n), seed: maphash.MakeSeed()}
}

func (u *nameUses) count(p *cPrinter, off uint32) uint32 {
	if 4*u.used >= 3*len(u.slots) {
		u.grow()
	}
	name := p.name(off)
	hash := uint32(maphash.Bytes(u.seed, name))
	mask := len(u.slots) - 1
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		s := &u.slots[i]
		if s.count == 0 {
			*s = nameUse{hash, off, 1}
			u.used++
			return 1
		}
		if s.hash == hash && (s.off == off || bytes.Equal(p.name(s.off), name)) {
			s.count++
			return s.count
		}
	}
}

func (u *nameUses) grow() {
	old := u.slots
	u.slots = make([]nameUse, 2*len(old))
	mask := len(u.slots) - 1
	for _, s := range old {
		if s.count == 0 {
			continue
		}
		i := int(s.hash) & mask
		for u.slots[i].count != 0 {
			i = (i + 1) & mask
		}
		u.slots[i] = s
	}
}
