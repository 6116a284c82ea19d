package translate

import (
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
// has most of what it needs in registers. It returns pos if the DIE at pos must be read by generic.
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
			}
		} else {
			w.forward = append(w.forward, uint32(t.Types.WordCount())+2)
		}
		if !die.Known() {
			w.unhashed = append(w.unhashed, uint32(id))
		}
		t.Types.Append3(uint32(l.Name), info, ref)
		t.Dies = append(t.Dies, die)
		byOff[pos] = uint16(id)
		pos = next
	}
}
