package dwarf

// Some linkers and tools leave units without contents, and zeros between units. This is not damage, because nothing is lost.

// A Nothing says why a unit is empty.
type Nothing uint8

// Reasons why a unit is empty.
const (
	NotEmpty   Nothing = iota
	Padding            // it is not a unit, but zeros between two units or after the last one
	HeaderOnly         // it ends with its header
	NullRoot           // it has a null entry instead of the root, followed by zeros
)

func (n Nothing) String() string {
	return [...]string{"it is not empty", "zeros are in place of a unit", "the unit ends with its header", "the unit has no root entry"}[n]
}

// maxGap bounds the zeros between units. More zeros mean that something was overwritten.
const maxGap = 512

// gap returns the number of zeros at the position of the reader. It returns 0 unless they are followed by a possible unit or the end of the section.
func (r *Reader) gap() (n uint64, err error) {
	const header = 16 // bytes of a header up to the version, in either format
	left := r.sec.size - r.off
	b, err := r.sec.stored(&r.buf, r.off, min(left, maxGap+header))
	if err != nil {
		return 0, err
	}
	b = b[:min(left, maxGap+header)]
	zeros := uint64(0)
	for zeros < uint64(len(b)) && b[zeros] == 0 {
		zeros++
	}
	switch {
	case zeros > maxGap:
		return 0, nil
	case zeros == left:
		return zeros, nil
	}
	for back := uint64(0); back < 4 && back < zeros; back++ { // the length of the unit can begin with zeros
		if at := zeros - back; r.unitAt(b[at:], left-at) {
			return at, nil
		}
	}
	return 0, nil
}

// unitAt reports whether b looks like the start of a unit header. left is the number of bytes up to the end of the section.
func (r *Reader) unitAt(b []byte, left uint64) bool {
	if len(b) < 14 {
		b = append(append([]byte(nil), b...), make([]byte, 14)...)
	}
	n, version := uint64(r.d.order.Uint32(b)), r.d.order.Uint16(b[4:])
	if n == 0xffffffff {
		n, version = r.d.order.Uint64(b[4:]), r.d.order.Uint16(b[12:])
	}
	return n >= 7 && n < left && version >= 2 && version <= 5
}

// nothing returns why a unit is empty, or NotEmpty. The header must have been read.
func (u *Unit) nothing() Nothing {
	for _, b := range u.data[u.root:u.end] {
		if b != 0 {
			return NotEmpty
		}
	}
	if u.root == u.end {
		return HeaderOnly
	}
	return NullRoot
}

// Last reports whether the unit is the last one of its section.
func (u *Unit) Last() bool {
	size := u.d.info.size
	if u.inTypes {
		size = u.d.types.size
	}
	return u.Off+uint64(u.end-u.at) >= size
}
