package synth

import (
	"debug/elf"
	"fmt"
	"math/rand/v2"
)

// A KernelSize is the size of a kernel-like image.
type KernelSize struct {
	CUs     int // units
	Headers int // shared by units: half of them are included by all, the others by some
	Funcs   int // functions of a unit
}

// MediumKernel is large enough for benchmarks, and is built in a second or two. It has about 7 MB of debug information, nearly all of
// which is repeated in every unit, as in a kernel.
var MediumKernel = KernelSize{CUs: 160, Headers: 60, Funcs: 20}

// Kernel builds an image that repeats types like a kernel. Its units include the same headers, with structs that refer to each
// other by pointers, and with typedefs, enums, arrays and function types. Each unit has its own functions and per-CPU variables. The same seed and
// size give the same bytes.
func Kernel(t Target, seed uint64, size KernelSize) []byte {
	b := New(t)
	text := b.Text(".text", 0x10000, 64*size.CUs*size.Funcs)
	percpu := b.Data(".data..percpu", 0, 16*size.CUs)
	k := &kernel{seed: seed, size: size}
	for i := range size.CUs {
		k.unit(b, i, text, percpu)
	}
	return b.Bytes()
}

type kernel struct {
	seed uint64
	size KernelSize
}

// scope holds the types that a unit has declared so far, to which later headers can refer.
type scope struct {
	cu      *CU
	ints    []*DIE
	structs []*DIE // of headers that all units include
	types   []*DIE
}

func (k *kernel) unit(b *Builder, i int, text, percpu *Section) {
	r := rand.New(rand.NewPCG(k.seed, uint64(i)))
	s := &scope{cu: b.CU(fmt.Sprintf("drivers/unit%d.c", i), C11)}
	for _, name := range []string{"int", "long", "char", "unsigned int"} {
		size := uint64(4)
		if name == "long" {
			size = uint64(b.Target().addrSize())
		} else if name == "char" {
			size = 1
		}
		s.ints = append(s.ints, s.cu.Base(name, size, Signed))
	}
	for h := range k.size.Headers {
		if h < k.size.Headers/2 || r.IntN(2) == 0 {
			k.header(s, h, h < k.size.Headers/2)
		}
	}
	for f := range k.size.Funcs {
		at := text.At(uint64(64 * (i*k.size.Funcs + f)))
		name := fmt.Sprintf("unit%d_func%d", i, f)
		var params []Param
		for p := range r.IntN(5) {
			params = append(params, Param{Name: fmt.Sprintf("arg%d", p), Type: s.types[r.IntN(len(s.types))]})
		}
		s.cu.Func(name, at, 64, s.ints[0], params...).External()
		b.Symbol(name, at, 64, elf.STT_FUNC)
	}
	at := percpu.At(uint64(16 * i))
	name := fmt.Sprintf("unit%d_state", i)
	s.cu.Var(name, s.ints[1], at).External()
	b.Symbol(name, at, 8, elf.STT_OBJECT)
}

// header declares the types of one header. It refers only to headers that all units include, so its types are the same everywhere.
func (k *kernel) header(s *scope, h int, shared bool) {
	r := rand.New(rand.NewPCG(k.seed^0xfeed, uint64(h)))
	cu := s.cu
	named := fmt.Sprintf("h%d", h)
	enum := cu.Enum(named+"_state", 4, s.ints[3], Value{Name: named + "_ON", Value: 0}, Value{Name: named + "_OFF", Value: 1}, Value{Name: named + "_BUSY", Value: 2})
	types := []*DIE{enum, cu.Typedef(named+"_t", s.ints[r.IntN(len(s.ints))])}
	for _, to := range s.structs {
		if r.IntN(4) == 0 {
			types = append(types, cu.Pointer(to))
		}
	}
	callback := cu.FuncType(s.ints[0], Param{Type: types[r.IntN(len(types))]}, Param{Type: s.ints[1]})
	types = append(types, cu.Pointer(callback), cu.Array(s.ints[2], s.ints[1], int64(8+r.IntN(24))), cu.Const(s.ints[0]))
	var structs []*DIE
	for n := range 6 {
		var members []Member
		for m := range 4 + r.IntN(12) {
			typ := types[r.IntN(len(types))]
			members = append(members, Member{Name: fmt.Sprintf("%s_member%d", named, r.IntN(40)), Type: typ, Off: uint64(32 * m)})
		}
		st := cu.Struct(fmt.Sprintf("%s_struct%d", named, n), uint64(32*len(members)), members...)
		structs = append(structs, st)
		types = append(types, cu.Pointer(st))
	}
	s.types = append(s.types, types...)
	if shared {
		s.structs = append(s.structs, structs...)
	}
}
