package translate

import (
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// An alias is a type DIE that makes no type: references to it mean another one.
type alias struct{ from, to dwarf.Offset }

// alias makes references to the DIE at pos mean what is at off, 0 being void.
func (w *walker) alias(pos int, off dwarf.Offset) {
	w.aliases = append(w.aliases, alias{dwarf.Offset(pos), off})
}

// followAliases replaces references to aliases by references to what they stand for. A ring of aliases is void.
func (w *walker) followAliases() {
	if len(w.aliases) == 0 {
		return
	}
	to := w.aliasEnds()
	follow := func(ref *dwarf.Offset) {
		if off, ok := to[*ref]; ok {
			*ref = off
		}
	}
	words := w.t.Types.Words()
	for _, at := range w.forward {
		follow((*dwarf.Offset)(&words[at]))
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
		follow((*dwarf.Offset)(&w.fs.Params[i].Type)) // resolved later
	}
}

// aliasEnds says for every alias what it stands for in the end; a ring is void. Each is followed once, however many lead to it.
func (w *walker) aliasEnds() map[dwarf.Offset]dwarf.Offset {
	to, met := make(map[dwarf.Offset]dwarf.Offset, len(w.aliases)), make(map[dwarf.Offset]bool, len(w.aliases))
	for _, a := range w.aliases {
		to[a.from] = a.to
	}
	var way []dwarf.Offset
	for _, a := range w.aliases {
		way = way[:0]
		off := a.from
		next, more := to[off]
		for ; more && !met[off]; next, more = to[off] {
			met[off] = true
			way = append(way, off)
			to[off] = 0 // until the end is known, which it never is of a ring
			off = next
		}
		if more {
			off = next
		}
		for _, from := range way {
			to[from] = off
		}
	}
	return to
}

// stub is the place holder of a type that is defined in a type unit.
func (w *walker) stub(a *dwarf.Abbrev) int {
	w.alias(w.c.Pos, w.ref(dwarf.SlotSignature))
	return w.c.Skip(a)
}
