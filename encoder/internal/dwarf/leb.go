package dwarf

// uleb reads an unsigned LEB128 at pos. next is the position after it, or 0 if it runs past the end of b or past 64 bits.
func uleb(b []byte, pos int) (v uint64, next int) {
	for shift := uint(0); shift < 70 && uint(pos) < uint(len(b)); shift += 7 {
		c := b[pos]
		pos++
		if shift < 64 {
			v |= uint64(c&0x7f) << shift
		}
		if c < 0x80 {
			return v, pos
		}
	}
	return 0, 0
}

// sleb reads a signed LEB128 at pos, with the results of uleb.
func sleb(b []byte, pos int) (v int64, next int) {
	for shift := uint(0); shift < 70 && uint(pos) < uint(len(b)); {
		c := b[pos]
		pos++
		if shift < 64 {
			v |= int64(c&0x7f) << shift
		}
		shift += 7
		if c < 0x80 {
			if c&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v, pos
		}
	}
	return 0, 0
}
