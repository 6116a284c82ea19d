package dwarf

// Uses says which kinds of forms that lead out of their unit an abbreviation table declares.
type Uses struct {
	RefAddr       bool // DW_FORM_ref_addr: another unit
	Signature     bool // DW_FORM_ref_sig8: a type unit
	Supplementary bool // DW_FORM_GNU_ref_alt, DW_FORM_ref_sup4, DW_FORM_ref_sup8, and the forms for strings
}

func (u Uses) and(o Uses) Uses {
	return Uses{u.RefAddr || o.RefAddr, u.Signature || o.Signature, u.Supplementary || o.Supplementary}
}

func (u *Uses) note(f form) {
	switch f {
	case formRefAddr:
		u.RefAddr = true
	case formRefSig8:
		u.Signature = true
	case formGNURefAlt, formRefSup4, formRefSup8, formGNUStrpAlt, formStrpSup:
		u.Supplementary = true
	}
}

// Uses returns what the abbreviations of an opened unit declare, whether or not a DIE uses them.
func (u *Unit) Uses() Uses { return u.abbrevs.uses }
