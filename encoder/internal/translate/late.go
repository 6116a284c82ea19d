package translate

import "github.com/btfbatch/btfbatch/encoder/btf"

// Of the types of a unit, ninety-nine of a hundred are only recognised and forgotten. What the members of a composite and the
// parameters of a prototype refer to is looked up once, when the class is computed, and in the records it stays an offset:
// a late reference. Who needs such a reference settles it: the few records that go into the object, the few units that deviate.

// hasten makes late references ones that resolve follows with the others: where one thing of the unit must know them, or where types
// do not come in the order of their offsets, by which Local finds them.
func (w *walker) hasten() {
	if !w.late || !w.moved && inOrder(w.t.Dies) && !w.opt.Settled && !w.opt.PlainFields && len(w.aliases) == 0 && len(w.storage) == 0 && !(w.unsized && !w.opt.keepsUnsized()) {
		return
	}
	w.late = false
	words, starts := w.t.Types.Words(), w.t.Types.Starts()
	for i := range starts {
		r := w.t.Types.At(btf.ID(i + 1))
		at, step := lateIn(r.Kind())
		for ; step != 0 && at < len(r); at += step {
			if words[int(starts[i])+at] != 0 {
				w.forward = append(w.forward, starts[i]+uint32(at))
			}
		}
	}
}

// inOrder tells whether types come in the order of their offsets.
func inOrder(dies []Die) bool {
	last := uint32(0)
	for i := range dies {
		off := dies[i].Off
		if off < last {
			return false
		}
		last = off
	}
	return true
}

// lateIn is where the late references of a kind start in a record, and how far they are apart: 0 where there are none.
func lateIn(k btf.Kind) (at, step int) {
	switch k {
	case btf.KindStruct, btf.KindUnion:
		return 4, 3
	case btf.KindFuncProto:
		return 4, 2
	}
	return 0, 0
}

// Settle makes all late references local ids.
func (t *Unit) Settle() {
	if !t.Late {
		return
	}
	for i := range t.Types.Len() {
		t.SettleRecord(t.Types.At(btf.ID(i + 1)))
	}
	t.Late = false
}

// SettleRecord makes the late references of one record local ids. It may be called once for a record of a unit that has them.
func (t *Unit) SettleRecord(r btf.Record) {
	at, step := lateIn(r.Kind())
	for ; step != 0 && at < len(r); at += step {
		r[at] = t.local(r[at])
	}
}

// local is the local id of the type at an offset, 0 when there is none there. The outermost of the dimensions of an array, which are
// all at one offset, comes last.
func (t *Unit) local(off uint32) uint32 {
	lo, hi := 0, len(t.Dies)
	for lo < hi { // Dies before lo are at off or before it, those from hi on behind it
		if m := int(uint(lo+hi) >> 1); t.Dies[m].Off <= off {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if off == 0 || lo == 0 || t.Dies[lo-1].Off != off {
		return 0
	}
	return uint32(lo)
}
