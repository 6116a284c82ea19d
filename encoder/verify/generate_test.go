package verify

import (
	"math/rand/v2"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// generator makes blobs like those of the vectors: small type graphs that are valid in most places and wrong in a few, so that every phase
// of the verification gets some of them.
type generator struct {
	*rand.Rand
	*blob
	n    uint32 // types still to make
	odds int    // one choice in this many is random
	pool []uint32
	plan []btf.Kind // by id
}

func generate(r *rand.Rand) []byte {
	g := &generator{Rand: r, blob: newBlob(), n: 1 + r.Uint32N(24), odds: 16 << r.IntN(7)}
	for _, name := range []string{"a", "b_1", ".c", "int", "s", "x.y", "", "1x", "a b", "\xc3\xa9", "?q", "bpf_spin_lock",
		"kptr", "contains:s:b_1", "bpf_list_head", "bpf_list_node", "bpf_refcount"} {
		g.pool = append(g.pool, g.str(name))
	}
	if r.IntN(8) == 0 {
		g.plan = make([]btf.Kind, 30+r.Uint32N(8))
	}
	chain := len(g.plan)
	for range 1 + g.n {
		g.plan = append(g.plan, btf.Kind(1+r.IntN(19)))
	}
	g.plan[0] = btf.KindVoid
	g.n = uint32(len(g.plan) - 1)
	if chain > 0 {
		g.forwardChain(chain)
	}
	for g.next <= g.n {
		g.one(g.plan[g.next])
	}
	out := g.bytes()
	if g.wild() {
		out[r.IntN(len(out))] = byte(r.Uint32())
	}
	return out
}

func (g *generator) wild() bool { return g.IntN(g.odds) == 0 }

var (
	content    = ^(sizeless | sourceOnly)
	refTargets = ^sourceOnly
)

// pick returns one of the valid values, or something else.
func (g *generator) pick(vs ...uint32) uint32 {
	if g.wild() {
		return [...]uint32{0, 1, 3, 7, 0x7f, 0xfffff, 0x100000, 0xffffff, 1 << 31, 0xffffffff}[g.IntN(10)]
	}
	return vs[g.IntN(len(vs))]
}

// id returns mostly a type of one of the given kinds.
func (g *generator) id(of btf.KindSet) uint32 {
	if g.wild() {
		return g.pick(0, g.n+1, 0x100000, g.Uint32N(g.n+1))
	}
	id := g.Uint32N(g.n + 1)
	for range 64 {
		if of.Has(g.plan[id]) {
			break
		}
		id = g.Uint32N(g.n + 1)
	}
	return id
}

func (g *generator) ident() uint32 {
	if g.wild() {
		return g.pick(g.pool...)
	}
	return g.pool[g.IntN(6)]
}

func (g *generator) maybeIdent() uint32 {
	if g.IntN(2) == 0 {
		return 0
	}
	return g.ident()
}

func (g *generator) noName() uint32 {
	if g.wild() {
		return g.ident()
	}
	return 0
}

// info sets the kind flag if the kind has one, and rarely otherwise.
func (g *generator) info(k btf.Kind, vlen uint32) uint32 {
	flag := uint32(0)
	if V6_18.generation().kflags.Has(k) && g.IntN(3) == 0 || g.wild() {
		flag = kindFlagBit
	}
	if g.wild() {
		vlen++
	}
	return flag | info(uint32(k), vlen)
}

// forwardChain makes modifiers or pointers that each refer to the next, with lengths near the depth limits.
func (g *generator) forwardChain(n int) {
	k := [...]btf.Kind{btf.KindConst, btf.KindPtr, btf.KindTypedef, btf.KindTypeTag}[g.IntN(4)]
	named := uint32(0)
	if k == btf.KindTypedef || k == btf.KindTypeTag {
		named = g.pool[0]
	}
	for id := 1; id < n; id++ {
		g.plan[id] = k
	}
	if g.IntN(2) == 0 { // first resolve the second half
		g.plan[1] = btf.KindConst
		g.add(0, info(uint32(btf.KindConst), 0), uint32(2+n/2))
	}
	for int(g.next) < n {
		to := g.next + 1
		if g.IntN(60) == 0 {
			to = g.id(^btf.KindSet(0))
		}
		g.add(named, info(uint32(k), 0), to)
	}
}

func (g *generator) one(k btf.Kind) {
	switch k {
	case btf.KindInt:
		size := g.pick(1, 2, 4, 8, 16)
		off := uint32(0)
		if g.wild() {
			off = g.pick(1, 4, 8, 33)
		}
		g.add(g.maybeIdent(), g.info(k, 0), size, g.pick(0, 1, 2, 4)<<24|off<<16|g.pick(8*size, 8*size, 8*size, 1, 8, 32, 12)&0xff)
	case btf.KindFloat:
		g.add(g.maybeIdent(), g.info(k, 0), g.pick(2, 4, 8, 12, 16))
	case btf.KindArray:
		g.add(g.noName(), g.info(k, 0), g.pick(0), g.id(content), g.id(btf.Kinds(btf.KindInt)), g.pick(0, 1, 2, 5, 9, 0x4000))
	case btf.KindStruct, btf.KindUnion:
		g.structure(k)
	case btf.KindEnum, btf.KindEnum64:
		n := g.Uint32N(3)
		g.add(g.maybeIdent(), g.info(k, n), g.pick(1, 2, 4, 8))
		for range n {
			g.words(g.ident(), g.Uint32())
			if k == btf.KindEnum64 {
				g.words(g.Uint32())
			}
		}
	case btf.KindFwd:
		g.add(g.ident(), g.info(k, 0), g.pick(0))
	case btf.KindFunc:
		g.add(g.ident(), g.info(k, g.Uint32N(2)), g.id(btf.Kinds(btf.KindFuncProto)))
	case btf.KindFuncProto:
		n := g.Uint32N(4)
		g.add(g.noName(), g.info(k, n), g.id(content|1))
		for range n {
			g.words(g.ident(), g.id(content))
		}
	case btf.KindVar:
		g.add(g.ident(), g.info(k, 0), g.id(content), g.pick(0, 1))
	case btf.KindDatasec:
		n := g.Uint32N(4)
		g.add(g.ident(), g.info(k, n), g.pick(16*n, 16*n+16))
		for i := range n {
			g.words(g.id(btf.Kinds(btf.KindVar)), 16*i+g.pick(0, 4), g.pick(4, 8, 8, 12))
		}
	case btf.KindDeclTag:
		g.add(g.ident(), g.info(k, 0), g.id(taggable), g.pick(0xffffffff, 0xffffffff, 0, 1))
	case btf.KindTypedef, btf.KindTypeTag:
		g.add(g.ident(), g.info(k, 0), g.id(refTargets))
	default:
		g.add(g.noName(), g.info(k, 0), g.id(refTargets))
	}
}

func (g *generator) structure(k btf.Kind) {
	n := g.Uint32N(5)
	inf := g.info(k, n)
	name := g.maybeIdent()
	if g.IntN(8) == 0 {
		name = g.pool[11+g.IntN(len(g.pool)-11)]
	}
	g.add(name, inf, g.pick(16*n, 16*n+3, 32*n+8, 8*n))
	off := uint32(0)
	for range n {
		third := off
		if k == btf.KindUnion {
			third = g.pick(0)
		}
		if inf&kindFlagBit != 0 {
			third = third&0xffffff | g.pick(0, 0, 1, 7, 31, 33)<<24
		}
		if g.wild() {
			third = g.Uint32()
		}
		g.words(g.maybeIdent(), g.id(content), third)
		off += g.pick(0, 8, 32, 64, 64, 4)
	}
}
