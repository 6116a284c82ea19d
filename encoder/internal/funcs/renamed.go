package funcs

import (
	"bytes"
	"fmt"
	"math/bits"

	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// A function in DWARF becomes a FUNC if the symbol table has its name. A flipped bit in the name, in either place, would lose the
// function without a message. So functions with code but without a symbol are compared with the symbols at their address. A
// function whose symbol has an entirely different name is normal: objcopy adds prefixes, and assembler names can be anything.
// Only similar names are reported.

// A nameless is a function with code whose name no symbol has.
type nameless struct {
	off  dwarf.Offset // of its DIE
	name dwarf.StrKey
	addr uint64
}

// A stray is a nameless function after its unit has been released.
type stray struct {
	place dwarf.Place
	off   dwarf.Offset
	name  []byte
	addr  uint64
}

// AddStrays collects the functions of a unit that have no symbol.
func (c *Collector) AddStrays(u *Unit, s *dwarf.Strings) {
	for i := range u.nameless {
		f := &u.nameless[i]
		var scratch [4]byte
		c.strays = append(c.strays, stray{u.place, f.off, bytes.Clone(s.Get(f.name, &scratch)), f.addr})
	}
}

// Renamed describes functions without a symbol of their name, where a symbol at their address has a name that differs in a few
// bits. Call it after all units have been added; it discards the collected functions. It may run while an Emission compares states.
func (c *Collector) Renamed() (found []string) {
	defer func() { c.strays = nil }()
	if len(c.strays) == 0 {
		return nil
	}
	const size = 1 << 12
	var filter [size]bool // by address: whether a function may be there
	at := make(map[uint64][]int, len(c.strays))
	for i := range c.strays {
		a := c.strays[i].addr
		at[a], filter[a/2%size] = append(at[a], i), true
	}
	symbol := make([][]byte, len(c.strays)) // the similar name of a symbol
	compare := func(addr uint64, name uint32) {
		if !filter[addr/2%size] {
			return
		}
		for _, i := range at[addr] {
			base, _ := baseName(c.table.syms.NameAt(name))
			if s := &c.strays[i]; symbol[i] == nil && nearly(s.name, base) {
				symbol[i] = base
			}
		}
	}
	for i := range c.table.entries {
		compare(c.table.entries[i].value, c.table.names[i])
	}
	for _, s := range c.table.more {
		compare(s.value, s.name)
	}
	for i := range c.strays {
		if s := &c.strays[i]; symbol[i] != nil {
			found = append(found, fmt.Sprintf("%s: the symbol at its address is named %q, and none has the function's name", s.place.Describe(int(s.off)), symbol[i]))
		}
	}
	return found
}

// nearly reports whether two names differ in a few bits only.
func nearly(a, b []byte) bool {
	const most = 3
	if len(a) != len(b) {
		return false
	}
	differ := 0
	for i := range a {
		differ += bits.OnesCount8(a[i] ^ b[i])
	}
	return differ != 0 && differ <= most
}
