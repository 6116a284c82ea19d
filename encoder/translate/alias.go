package translate

import (
	"github.com/btfbatch/btfbatch/encoder/dwarf"
)

// An alias is a type DIE that makes no type: references to it mean another one.
type alias struct{ from, to uint32 }

// alias makes references to the DIE at pos mean what is at off, 0 being void.
func (w *walker) alias(pos int, off uint32) {
	w.aliases = append(w.aliases, alias{uint32(pos), off})
}

// followAliases replaces references to aliases by references to what they stand for. A ring of aliases is void.
func (w *walker) followAliases() {
	if len(w.aliases) == 0 {
		return
	}
	to := make(map[uint32]uint32, len(w.aliases))
	for _, a := range w.aliases {
		to[a.from] = a.to
	}
	follow := func(ref *uint32) {
		for range maxChain {
			off, ok := to[*ref]
			if !ok {
				return
			}
			*ref = off
		}
		*ref = 0
	}
	words := w.t.Types.Words()
	for _, at := range w.forward {
		follow(&words[at])
	}
	for i := range w.names {
		follow(&w.names[i].spec)
	}
	for i := range w.signs {
		follow(&w.signs[i].typ)
	}
	for i := range w.varTypes {
		follow(&w.varTypes[i])
	}
	for i := range w.funcs {
		follow(&w.funcs[i].typ)
	}
	for i := range w.fs.Params {
		follow(&w.fs.Params[i].Type)
	}
}

// stub is the place holder of a type that is defined in a type unit.
func (w *walker) stub(a *dwarf.Abbrev) int {
	w.alias(w.c.Pos, w.ref(dwarf.SlotSignature))
	return w.c.Skip(a)
}
