package dwarf

// A Peek reads single DIEs with all attributes that a type can have, also those that no rule reads for the tag of the DIE. It compiles the
// abbreviations of the unit again, so it is for the few DIEs that are not covered by a rule. Units that are read one after the other reuse
// its memory.
type Peek struct {
	Cursor
	u      Unit
	tables abbrevs // the current unit's, with every attribute
}

// Close releases the unit. The memory stays for the next one.
func (p *Peek) Close() { p.u, p.Cursor = Unit{}, Cursor{} }

// Read reads the DIE at a position of a unit. It returns nil if there is none.
func (p *Peek) Read(u *Unit, pos int) *Abbrev {
	if p.u.d != u.d || p.u.Off != u.Off || p.u.inTypes != u.inTypes {
		p.u = *u
		p.u.abbrevs = &p.tables
		k := p.u.key()
		k.all = true
		if _, err := p.u.abbrevs.compile(&u.d.abbrev, u.abbrevs.off, k, u.d.tables, u.tableLen()); err != nil {
			p.Close()
			return nil
		}
	}
	p.Start(&p.u)
	return p.Cursor.Read(pos)
}
