package dwarf

// Uses tells which forms that lead out of their unit the abbreviation tables of an image declare.
type Uses struct {
	RefAddr       bool // DW_FORM_ref_addr: another unit
	Signature     bool // DW_FORM_ref_sig8: a type unit
	Supplementary bool // DW_FORM_GNU_ref_alt, DW_FORM_ref_sup4 and 8, and strings alike
}

// Uses reads the declarations of .debug_abbrev one after the other, whichever unit uses them; it ends where they end to make
// sense.
func (d *Data) Uses() (u Uses, err error) {
	const window = 256 << 10
	var buf []byte
	for off := uint64(0); off < d.abbrev.size; {
		n := min(window, d.abbrev.size-off)
		b, err := d.abbrev.at(buf, off, n)
		if err != nil {
			return u, err
		}
		if d.abbrev.whole == nil {
			buf = b
		}
		done := u.scan(b[:n])
		if done == 0 {
			break // no declaration fills a window
		}
		off += uint64(done)
	}
	return u, nil
}

// scan reads whole declarations of b and tells how many bytes they are.
func (u *Uses) scan(b []byte) (done int) {
	for pos := 0; pos < len(b); {
		code, p := uleb(b, pos)
		if p == 0 {
			return done
		}
		if code == 0 {
			pos, done = p, p
			continue
		}
		if _, p = uleb(b, p); p == 0 || p >= len(b) {
			return done
		}
		if pos = u.attributes(b, p+1); pos == 0 {
			return done
		}
		done = pos
	}
	return done
}

// attributes reads an attribute list; it returns the position behind it, or 0 where it is cut short.
func (u *Uses) attributes(b []byte, pos int) int {
	for {
		// Nearly all names and forms are of one byte.
		name, p := uleb(b, pos)
		if p == 0 {
			return 0
		}
		f, q := uleb(b, p)
		if q == 0 {
			return 0
		}
		switch form(f) {
		case formRefAddr:
			u.RefAddr = true
		case formRefSig8:
			u.Signature = true
		case formGNURefAlt, formRefSup4, formRefSup8, formGNUStrpAlt, formStrpSup:
			u.Supplementary = true
		case formImplicitConst:
			if _, q = uleb(b, q); q == 0 {
				return 0
			}
		case 0:
			if name == 0 {
				return q
			}
		}
		pos = q
	}
}
