package funcs

import (
	"math/bits"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// clang sometimes changes the signature of a function. The feature true_signature describes the function as it is in the machine
// code: without the parameters that were removed; and where only one member of a struct is still passed, that member replaces the
// struct (rules 01/9.2, 01/9.3, 01/9.4 and 02/5.2).

// A member is what may be left of a parameter.
type member struct {
	name  dwarf.StrKey
	typ   translate.LocalID
	taken bool // the parameter takes its type
}

// typeOf returns the type of a parameter in the prototype: its own, unless only a member is left of it.
func (a *Analyzer) typeOf(f *facts, p *translate.Param) translate.LocalID {
	if f.reduced != 0 && a.members[f.reduced-1].taken {
		return a.members[f.reduced-1].typ
	}
	return p.Type
}

// findMember finds out whether registers hold only one member of a parameter's struct, and which.
func (a *Analyzer) findMember(f *facts, typ translate.LocalID) {
	off := uint32(0)
	switch {
	case f.high == 0 && bits.OnesCount32(f.low) == 1:
		off = uint32(bits.TrailingZeros32(f.low))
	case f.low == 0 && bits.OnesCount32(f.high) == 1:
		off = uint32(bits.TrailingZeros32(f.high) + a.addr)
	default:
		return
	}
	if typ = a.packer.strip(typ); typ == 0 {
		return
	}
	r := a.t.Types.At(btf.ID(typ))
	if r.Kind() != btf.KindStruct {
		return
	}
	for i := range r.Vlen() {
		e := r.Elem(i)
		if at, _ := memberBits(r, e); at == uint64(8*off) {
			a.members = append(a.members, member{name: dwarf.StrKey(e[0]), typ: a.packer.memberType(e)})
			f.reduced = uint32(len(a.members))
			return
		}
	}
}

// judgeChanged is judge for a function whose signature clang has changed, with true_signature.
func (a *Analyzer) judgeChanged(fs []facts, ps []translate.Param) {
	at := 0
	for i := range fs {
		f, use := &fs[i], a.use(&fs[i])
		at = a.even(at, &ps[i])
		switch free := at < a.conv.registers; {
		case !f.hasLoc:
			if free && a.follows(fs[i+1:], at+int(f.slots)) {
				at += int(f.slots)
			} else {
				f.optimized = true
			}
		case f.constant:
			f.optimized = true
		case !free, f.stack && f.inMemory:
		case f.stack, f.reg == noReg, a.conv.elsewhere(at, f.reg):
			f.unexpected = true
			at += use
		case f.low|f.high == 0:
			at += use
		case f.low != 0 && f.high != 0:
			at += int(f.slots)
		case a.follows(fs[i+1:], at+int(f.slots)):
			f.reduced = 0
			at += int(f.slots)
		case f.reduced != 0 && a.members[f.reduced-1].typ != 0:
			a.members[f.reduced-1].taken = true
			at++
		default:
			at += use
		}
	}
}

// follows reports whether the next parameter is in argument register i.
func (a *Analyzer) follows(rest []facts, i int) bool {
	return len(rest) > 0 && rest[0].reg != noReg && i < a.conv.registers && a.conv.holds(i, rest[0].reg)
}

// reducedName returns the name of a parameter of which one member is left.
func (a *Analyzer) reducedName(param, member dwarf.StrKey) []byte {
	var p, m [4]byte
	name := append([]byte(nil), a.t.Strings.Get(param, &p)...)
	return append(append(name, "__"...), a.t.Strings.Get(member, &m)...)
}
