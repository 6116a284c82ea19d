package translate

import (
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// linkInfo has the second word of the records of links, by tag.
var linkInfo = [256]uint32{
	dwarf.TagPointerType:  btf.Info(btf.KindPtr, 0, false),
	dwarf.TagConstType:    btf.Info(btf.KindConst, 0, false),
	dwarf.TagVolatileType: btf.Info(btf.KindVolatile, 0, false),
	dwarf.TagRestrictType: btf.Info(btf.KindRestrict, 0, false),
	dwarf.TagTypedef:      btf.Info(btf.KindTypedef, 0, false),
}

// links appends the links from pos on, and returns the position after them. It does what generic does with such DIEs, in one function, whose loop
// has most of what it needs in registers. It returns pos if the DIE at pos must be read by generic. The links are children of the root of a single unit,
// so all types before them have lower offsets.
//
//go:noinline
func (w *walker) links(pos int) int {
	c, t, byOff := &w.c, w.t, w.byOff
	for {
		l, next := c.Link(pos)
		id := uint(len(t.Dies))
		if next == 0 || id >= farID {
			return pos
		}
		info, ref, die := linkInfo[uint8(l.Tag)], l.Ref, nominal.Entry{Off: uint32(pos)}
		to := id
		if uint(ref) < uint(len(byOff)) {
			to = uint(byOff[ref])
		}
		if to < id && t.Dies[to].Off == ref {
			if ref = uint32(to); t.Dies[to].Known() {
				die.Set(nominal.Begin(uint64(l.Name)<<32|uint64(info), t.Dies[to].Hash()))
			} else {
				w.unhashed = append(w.unhashed, uint32(id))
			}
		} else {
			w.later = append(w.later, uint32(id))
		}
		t.Types.Append3(uint32(l.Name), info, ref)
		t.Dies = append(t.Dies, die)
		byOff[pos] = uint16(id)
		pos = next
	}
}

// resolveLater turns the references of links to later types into local ids. Most of these types have a name, so their contribution is known, and
// so is that of the link. The others are left to classify. It goes from the last link to the first, because a link can lead to a later one.
// References that lead to no type are left to resolveTypes, which looks at all of those in the order of the unit.
//
//go:noinline
func (w *walker) resolveLater() {
	byOff, dies, words, starts := w.byOff, w.t.Dies, w.t.Types.Words(), w.t.Types.Starts()
	unhashed, forward := len(w.unhashed), len(w.forward)
	for i := len(w.later) - 1; i >= 0; i-- {
		id := w.later[i]
		r := words[starts[id-1]:][:3]
		off := r[2]
		to := uint(len(dies))
		if uint(off) < uint(len(byOff)) {
			to = uint(byOff[off])
		}
		if to >= uint(len(dies)) || dies[to].Off != off { // there is no type, or it has a far id
			w.forward, w.unhashed = append(w.forward, starts[id-1]+2), append(w.unhashed, id)
			continue
		}
		r[2] = uint32(to)
		if target := &dies[to]; w.classes && target.Known() {
			dies[id].Set(nominal.Begin(uint64(r[0])<<32|uint64(r[1]), target.Hash()))
		} else {
			w.unhashed = append(w.unhashed, id)
		}
	}
	slices.Reverse(w.unhashed[unhashed:])
	if len(w.forward) != forward {
		slices.Sort(w.forward)
	}
	w.later = w.later[:0]
}

// forwardLater makes the references of links to later types references like all others. Units for which resolve has more to do with a
// reference than to look it up need this.
func (w *walker) forwardLater() {
	if len(w.later) == 0 {
		return
	}
	for _, id := range w.later {
		w.forward, w.unhashed = append(w.forward, w.t.Types.Starts()[id-1]+2), append(w.unhashed, id)
	}
	slices.Sort(w.forward)
	slices.Sort(w.unhashed)
	w.later = w.later[:0]
}
