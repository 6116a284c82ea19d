package translate

import (
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// An alias is a type DIE that becomes no type: references to it mean another DIE.
type alias struct{ from, to dwarf.Offset }

// alias makes references to the DIE at pos mean the DIE at off, or void if off is 0.
func (w *walker) alias(pos int, off dwarf.Offset) {
	w.aliases = append(w.aliases, alias{dwarf.Offset(pos), off})
}

// followAliases replaces references to aliases by references to what the aliases mean. A ring of aliases means void.
func (w *walker) followAliases() {
	if len(w.aliases) == 0 {
		return
	}
	w.forwardLater()
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

// aliasEnds returns the meaning of every alias; a ring means void. Each alias is followed once, however many lead to it.
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
			to[off] = 0 // until the end is known; in a ring it never is
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

// stub handles the placeholder of a type that is defined in a type unit.
func (w *walker) stub(a *dwarf.Abbrev) int {
	w.alias(w.c.Pos, w.ref(dwarf.SlotSignature))
	return w.c.Skip(a)
}
