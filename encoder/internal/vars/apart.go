package vars

import "github.com/btfbatch/btfbatch/encoder/btf"

// Apart keeps the strings that variables need apart from those of types and functions. They are appended after all others, and those of the
// sections of First before those of other sections. So the string section shows how long it would be without variables, and without the
// variables of other sections. Type ids and sizes are the usual ones.
type Apart struct {
	// First reports whether the variables of a section of that name come first.
	First func(section string) bool

	// The end of the string section without variables, with those that come first, and with all of them.
	None, Some, All uint32

	strings []apart
}

// apart is the string of a VAR, or of a declaration tag of one.
type apart struct {
	id   btf.ID
	sec  *section
	text string
}

// Reset forgets the strings, for another attempt to join the units of the image.
func (a *Apart) Reset() { a.strings = nil }

func (a *Apart) renumber(move func(id btf.ID) btf.ID) {
	if a == nil {
		return
	}
	for i := range a.strings {
		a.strings[i].id = move(a.strings[i].id)
	}
}

// appendStrings appends the strings, with the names of the sections that get a DATASEC, and puts them into their records.
func (c *Collector) appendStrings(o *btf.Object) {
	a := c.Apart
	part := func(first bool) uint32 {
		for _, s := range a.strings {
			if a.First(s.sec.elf.Name) == first {
				o.At(s.id)[0] = o.Strings.Add([]byte(s.text))
			}
		}
		for i, infos := range c.infos {
			sec := &c.s.list[i]
			if len(infos) > 0 && a.First(sec.elf.Name) == first && !c.varsOnly(sec) {
				o.Strings.Add([]byte(sec.elf.Name))
			}
		}
		return o.Strings.End()
	}
	a.None = o.Strings.End()
	a.Some = part(true)
	a.All = part(false)
}
