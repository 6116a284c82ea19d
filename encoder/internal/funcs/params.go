package funcs

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// noReg says that no register was found.
const noReg = -1

// facts are what the location of one parameter says (rule 01/9.2).
type facts struct {
	size     uint16
	slots    uint16 // number of registers that it takes
	reg      int16  // the first register found
	hasLoc   bool
	constant bool
	stack    bool
	inMemory bool

	optimized, unexpected bool

	low, high uint32 // the bytes of its first and second register at which pieces start, one bit each
	reduced   uint32 // the only member that is left of it: index + 1 in Analyzer.members; 0 for none
}

// An Analyzer judges functions by the locations of their parameters. It belongs to one worker.
type Analyzer struct {
	u       *dwarf.Unit
	t       *translate.Unit
	fs      *translate.Subprograms
	conv    convention
	peer    rules.Set // Options.Peer
	reduce  bool      // the feature true_signature, in a unit that clang made
	addr    int       // address size in bytes
	loc     dwarf.Locations
	facts   []facts // by index in Params
	members []member
	packer  packer
}

// Forget drops what refers to an image, and keeps memory for units of another one.
func (a *Analyzer) Forget() { *a = Analyzer{facts: a.facts[:0], members: a.members[:0]} }

// read computes the facts of a parameter from its own DIE.
func (a *Analyzer) read(i int) {
	p, f := &a.fs.Params[i], &a.facts[i]
	*f = facts{reg: noReg, slots: 1, hasLoc: p.Loc.Kind != dwarf.LocNone}
	typ := p.Type
	if p.Origin >= 0 {
		typ = a.fs.Params[p.Origin].Type
	}
	f.size = a.sizeOf(typ)
	limit := 2 * a.addr
	if a.conv.oneOnly {
		limit = a.addr
	}
	f.inMemory = int(f.size) > limit && !a.conv.spread
	if int(f.size) > a.addr && !a.conv.oneOnly {
		f.slots = uint16((int(f.size) + a.addr - 1) / a.addr)
	}
	if f.hasLoc {
		pieces := int(f.size) > a.addr && !a.conv.oneOnly
		a.loc.Each(a.u, p.Loc, func(k int, ops []dwarf.Op, expr []byte) bool {
			a.describe(f, k, ops, expr)
			return pieces || f.reg == noReg // later descriptions do not matter: only the first register counts
		})
	}
	if a.reduce && p.HasName {
		a.findMember(f, typ)
	}
}

// maxTypes bounds a chain of types without a size.
const maxTypes = 1 << 10

// sizeOf follows a parameter's type to the first type with a size. A pointer has the size of an address.
func (a *Analyzer) sizeOf(id translate.LocalID) uint16 {
	for range maxTypes {
		if id == 0 {
			return 0
		}
		r := a.t.Types.At(btf.ID(id))
		if r.Kind() == btf.KindPtr {
			return uint16(a.addr)
		}
		if s := a.t.Size(id); s != 0 {
			return uint16(s)
		}
		switch k := r.Kind(); {
		case k == btf.KindArray:
			id = translate.LocalID(r[3])
		case btf.Modifiers.Has(k), k == btf.KindFuncProto:
			id = translate.LocalID(r[2])
		default:
			return 0
		}
	}
	return 0
}

func (f *facts) found(reg uint64) {
	if f.reg == noReg {
		f.reg = int16(reg)
	}
}

// describe evaluates description k of a location.
func (a *Analyzer) describe(f *facts, k int, ops []dwarf.Op, expr []byte) {
	value := len(ops) == 2 && ops[1].Code == dwarf.OpStackValue
	if len(ops) == 0 {
		return
	}
	op := ops[0]
	if len(ops) == 1 || value {
		a.describeOne(f, k, op, value, expr)
		return
	}
	switch {
	case isConstant(op.Code):
		if k == 0 {
			f.constant = true
		}
	case int(f.size) <= a.addr || a.conv.oneOnly:
		if k != 0 {
			return
		}
		if isReg(op.Code) {
			f.found(uint64(op.Code - dwarf.OpReg0))
		} else if isBreg(op.Code) && hasStackValue(ops[1:]) {
			f.found(uint64(op.Code - dwarf.OpBreg0))
		}
	default:
		f.pieces(ops, uint64(a.addr))
	}
}

// pieces evaluates the description of a parameter that takes several registers. A piece records where it starts, unless the
// description begins with it.
func (f *facts) pieces(ops []dwarf.Op, addr uint64) {
	off := uint64(0)
	for i, op := range ops {
		switch {
		case isReg(op.Code):
			f.found(uint64(op.Code - dwarf.OpReg0))
		case op.Code == dwarf.OpPiece:
			switch {
			case i == 0:
			case off < addr:
				f.low |= 1 << off
			case off-addr < 32:
				f.high |= 1 << (off - addr)
			}
			off += op.A
		}
	}
}

func (a *Analyzer) describeOne(f *facts, k int, op dwarf.Op, value bool, expr []byte) {
	switch {
	case op.Code == dwarf.OpEntryValue || op.Code == dwarf.OpGNUEntryValue:
		// An entry value counts in any description.
		if inner, single := a.loc.Sub(a.u, expr[op.A:op.A+op.B]); single && isReg(inner.Code) {
			f.found(uint64(inner.Code - dwarf.OpReg0))
		}
	case k != 0:
	case isReg(op.Code):
		f.found(uint64(op.Code - dwarf.OpReg0))
	case isBreg(op.Code) && value:
		f.found(uint64(op.Code - dwarf.OpBreg0))
	case op.Code == dwarf.OpFbreg:
		f.stack = true
	case isConstant(op.Code):
		f.constant = true
	}
}

func isReg(op uint8) bool  { return op >= dwarf.OpReg0 && op <= dwarf.OpReg31 }
func isBreg(op uint8) bool { return op >= dwarf.OpBreg0 && op <= dwarf.OpBreg31 }
func isConstant(op uint8) bool {
	return op >= dwarf.OpLit0 && op <= dwarf.OpLit31 || op == dwarf.OpConstu || op == dwarf.OpConsts
}

func hasStackValue(ops []dwarf.Op) bool {
	for _, op := range ops {
		if op.Code == dwarf.OpStackValue {
			return true
		}
	}
	return false
}

// share adds the facts of a parameter to those of its abstract origin (rule 01/9.3).
func (a *Analyzer) share(i int) {
	p := &a.fs.Params[i]
	if p.HasType || p.Origin < 0 {
		return
	}
	from, to := &a.facts[i], &a.facts[p.Origin]
	to.hasLoc = to.hasLoc || from.hasLoc
	to.constant = to.constant || from.constant
	to.stack = to.stack || from.stack
	to.inMemory = to.inMemory || from.inMemory
	if from.reg != noReg {
		to.reg = from.reg
	}
	if from.size != 0 {
		to.size, to.slots = from.size, from.slots
	}
	to.low |= from.low
	to.high |= from.high
	if to.reduced == 0 {
		to.reduced = from.reduced
	}
}

// judge marks the parameters that are not where the calling convention puts them (rule 01/9.4, for an unchanged signature). A
// parameter without a location, or with a constant or unknown one, counts as optimized away.
func (a *Analyzer) judge(fs []facts, ps []translate.Param) {
	at := 0
	for i := range fs {
		f := &fs[i]
		at = a.even(at, &ps[i])
		if f.hasLoc {
			if at >= a.conv.registers {
				continue
			}
			switch {
			case f.inMemory && !a.lostInMemory():
			case f.reg == noReg:
				f.optimized = true
			case a.conv.elsewhere(at, f.reg):
				f.unexpected = true
			}
		}
		at += a.use(f)
	}
}

// use returns the number of registers that a parameter takes.
func (a *Analyzer) use(f *facts) int {
	if f.inMemory {
		return a.memoryUse(false)
	}
	return int(f.slots)
}

// even skips a register that stays unused because the parameter is aligned to two registers.
func (a *Analyzer) even(at int, p *translate.Param) int {
	if a.conv.even && at%2 == 1 && a.packer.alignment(p.Type, 0) > uint64(a.addr) {
		return at + 1
	}
	return at
}

// judgeClang is judge for functions that clang compiled and whose signature is unchanged (rule 01/9.5).
func (a *Analyzer) judgeClang(fs []facts, ps []translate.Param) {
	at := 0
	for i := range fs {
		f := &fs[i]
		if f.inMemory {
			at += a.memoryUse(true)
			continue
		}
		if at = a.even(at, &ps[i]); at >= a.conv.registers {
			return
		}
		if f.reg != noReg {
			f.unexpected = true
			for j := at; j < min(at+int(f.slots), a.conv.registers); j++ {
				if a.conv.holds(j, f.reg) {
					f.unexpected = false
				}
			}
		}
		at += int(f.slots)
	}
}
