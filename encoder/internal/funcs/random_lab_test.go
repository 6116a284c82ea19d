package funcs_test

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	elffile "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// A chance makes functions whose parameters are in random places, even where no compiler puts them.
type chance struct {
	*rand.Rand
	*image
	types []*synth.DIE
	regs  []int
}

// addTypes fills types with what parameters are made of: scalars, and structs that go to one register, to two, or to memory.
func (c *chance) addTypes() {
	short := c.Base("short", 2, synth.Signed)
	one := c.Struct("one", 4, synth.Member{Name: "x", Type: c.i})
	two := c.Struct("two", 16, synth.Member{Name: "a", Type: c.l}, synth.Member{Name: "b", Type: c.l, Off: 8})
	mixed := c.Struct("mixed", 16, synth.Member{Name: "s", Type: short}, synth.Member{Name: "t", Type: short, Off: 2},
		synth.Member{Name: "i", Type: c.i, Off: 4}, synth.Member{Name: "inner", Type: one, Off: 8}, synth.Member{Type: one, Off: 12})
	bits := c.Struct("bits", 12, synth.Member{Name: "low", Type: c.i, Bits: 3}, synth.Member{Name: "high", Type: c.i, Bits: 5, BitOff: 32},
		synth.Member{Name: "plain", Type: c.i, Off: 8})
	big := c.Struct("big", 24, synth.Member{Name: "a", Type: c.l}, synth.Member{Name: "b", Type: c.l, Off: 8}, synth.Member{Name: "c", Type: c.l, Off: 16})
	either := c.Union("either", 16, synth.Member{Name: "i", Type: c.i}, synth.Member{Name: "two", Type: two})
	c.types = []*synth.DIE{c.i, c.l, short, c.Pointer(two), one, two, two, mixed, mixed, bits, big, either,
		c.Typedef("two_t", two), c.Const(mixed), c.Volatile(two)}
}

func pick[T any](c *chance, of []T) T { return of[c.IntN(len(of))] }

// expression is the location of a parameter whose turn it is to be in argument register i.
func (c *chance) expression(i int) []synth.Op {
	reg := pick(c, c.regs)
	if c.IntN(3) > 0 && i < len(c.regs) {
		reg = c.regs[i]
	}
	switch c.IntN(12) {
	case 0:
		return []synth.Op{synth.OpBreg(reg, 8), synth.OpStackValue()}
	case 1:
		return []synth.Op{synth.OpFbreg(int64(8 * c.IntN(4)))}
	case 2:
		return []synth.Op{synth.OpLit(c.IntN(3)), synth.OpStackValue()}
	case 3:
		return []synth.Op{synth.OpEntryValue(synth.OpReg(reg)), synth.OpStackValue()}
	case 4, 5, 6, 7, 8:
		var ops []synth.Op
		for range 1 + c.IntN(3) {
			if c.IntN(3) > 0 {
				ops = append(ops, synth.OpReg(pick(c, []int{reg, pick(c, c.regs)})))
			}
			ops = append(ops, synth.OpPiece(pick(c, []uint64{1, 2, 4, 4, 8, 8, 8})))
		}
		return ops
	default:
		return []synth.Op{synth.OpReg(reg)}
	}
}

// place is where a parameter is: nowhere, a constant, one location, or a list of them.
func (c *chance) place(i int) []synth.Part {
	switch c.IntN(10) {
	case 0:
		return nil
	case 1:
		return []synth.Part{synth.Num(dwarf.AttrConstValue, synth.FormData1, 3)}
	case 2, 3:
		return []synth.Part{synth.LocList(dwarf.AttrLocation, synth.FormSecOffset, synth.LocRange(uint64(c.IntN(2)), 1, c.expression(i)...),
			synth.LocRange(1, 4, c.expression(i)...))}
	default:
		return []synth.Part{c.Loc(c.expression(i)...)}
	}
}

// functions adds n functions f0, f1 and so on; some are instances of abstract ones, some have symbols with a suffix.
func (c *chance) functions(n int) {
	for i := range n {
		name, off := fmt.Sprintf("f%d", i), uint64(16*i)
		var params []synth.Param
		for j := range c.IntN(5) {
			params = append(params, synth.Param{Name: fmt.Sprintf("p%d", j), Type: pick(c, c.types)})
		}
		nocall := synth.Num(dwarf.AttrCalling, synth.FormData1, 3)
		symbol := name
		if c.IntN(4) == 0 {
			symbol += pick(c, []string{".isra.0", ".constprop.3", ".llvm.77"})
		}
		c.symbol(symbol, off)
		if c.IntN(3) > 0 {
			for j := range params {
				params[j].Extra = c.place(j)
			}
			if f := c.Func(name, c.text.At(off), 16, c.i, params...); c.IntN(3) > 0 {
				f.Add(nocall)
			}
			continue
		}
		abstract := c.Func(name, synth.Nowhere, 0, c.i)
		var dies []*synth.DIE
		for _, p := range params {
			dies = append(dies, abstract.DIE(dwarf.TagFormalParameter, synth.Name(p.Name), synth.Type(p.Type)))
		}
		if c.IntN(3) > 0 {
			abstract.Add(nocall)
		}
		if c.IntN(3) == 0 {
			abstract.Add(synth.Num(dwarf.AttrInline, synth.FormData1, 1))
		}
		c.instance(abstract, dies, off)
	}
}

// instance adds the code of an abstract function, with some of its parameters in another order or left out.
func (c *chance) instance(abstract *synth.DIE, params []*synth.DIE, off uint64) {
	f := c.DIE(dwarf.TagSubprogram, origin(abstract), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, c.text.At(off)))
	if c.IntN(5) == 0 {
		c.Shuffle(len(params), func(i, j int) { params[i], params[j] = params[j], params[i] })
	}
	for i, p := range params {
		if c.IntN(8) > 0 {
			f.DIE(dwarf.TagFormalParameter, origin(p)).Add(c.place(i)...)
		}
	}
}

// TestRandomFunctions: a few thousand functions, as of clang and gcc, have the same outcome as with pahole.
func TestRandomFunctions(t *testing.T) {
	targets := map[string]struct {
		synth.Target
		regs []int
	}{
		"amd64":   {synth.Target{Machine: elf.EM_X86_64}, []int{5, 4, 1, 2, 8, 9}},
		"s390":    {synth.Target{Machine: elf.EM_S390, Order: binary.BigEndian}, []int{2, 3, 4, 5, 6}},
		"arm64":   {synth.Target{Machine: elf.EM_AARCH64}, []int{0, 1, 2, 3, 4, 5, 6, 7}},
		"arm":     {synth.Target{Class: elf.ELFCLASS32, Machine: elf.EM_ARM}, []int{0, 1, 2, 3}},
		"riscv64": {synth.Target{Machine: elf.EM_RISCV, DWARF: 4}, []int{10, 11, 12, 13}},
		"i386":    {synth.Target{Class: elf.ELFCLASS32}, []int{0, 2, 1}},
	}
	for name, target := range targets {
		for seed := range uint64(4) {
			for _, producer := range []string{"clang version 19.1.7", "GNU C11 12.2.0"} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, producer[:5], seed), func(t *testing.T) {
					t.Parallel()
					c := &chance{Rand: rand.New(rand.NewPCG(5, seed)), image: newImage(target.Target), regs: target.regs}
					c.unit("b.c", synth.Producer(producer))
					c.addTypes()
					c.functions(200)
					data := c.Bytes()
					for _, features := range []feature.Set{feature.Default(), feature.Default().With(feature.TrueSignature)} {
						likePeer(t, data, features)
					}
				})
			}
		}
	}
}

// likePeer compares the encoding of an image with that of pahole, function by function.
func likePeer(t *testing.T, data []byte, features feature.Set) {
	t.Helper()
	_, res, err := outcome(data, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: features}})
	if err != nil {
		t.Fatal(err)
	}
	want := peer.Encode(t, data, features.Names())
	if bytes.Equal(res.Object.AppendWire(nil), want) {
		return
	}
	theirs, err := btf.Parse(want, nil)
	if err != nil {
		t.Fatalf("peer's %d bytes: %v", len(want), err)
	}
	ours, their := strings.Split(allFuncs(res.Object), "\n"), strings.Split(allFuncs(theirs), "\n")
	for i := range min(len(ours), len(their)) {
		if ours[i] != their[i] {
			t.Fatalf("%s: got %s, want the peer's %s", features, ours[i], their[i])
		}
	}
	t.Fatalf("%s: got %d functions, want the peer's %d; or other bytes", features, len(ours), len(their))
}

// TestRandomRelocatable: in relocatable files the symbol at the start of its section has the value 0, as abstract instances
// have no address. So there are many small files, of which the first function counts.
func TestRandomRelocatable(t *testing.T) {
	for _, producer := range []string{"clang version 19.1.7", "GNU C11 12.2.0"} {
		t.Run(producer[:5], func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(150) {
				c := &chance{Rand: rand.New(rand.NewPCG(6, seed)), image: newImage(synth.Target{Type: elf.ET_REL}), regs: []int{5, 4, 1, 2, 8, 9}}
				c.unit("b.c", synth.Producer(producer))
				c.addTypes()
				c.functions(2)
				data := c.Bytes()
				for _, features := range []feature.Set{feature.Default(), feature.Default().With(feature.TrueSignature)} {
					likePeer(t, data, features)
				}
			}
		})
	}
}

// TestRandomSeveral: several images have functions of the same names. Each image keeps its own, and abstract instances form
// groups of their own.
func TestRandomSeveral(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			var images [][]byte
			var files []*elffile.File
			for i := range 2 + seed%2 {
				target := synth.Target{}
				if i == 1 && seed%3 == 0 {
					target.Type = elf.ET_REL
				}
				c := &chance{Rand: rand.New(rand.NewPCG(7+i, seed)), image: newImage(target), regs: []int{5, 4, 1, 2, 8, 9}}
				c.unit("b.c", synth.Producer([]string{"clang version 19.1.7", "GNU C11 12.2.0"}[c.IntN(2)]))
				c.addTypes()
				c.functions(20)
				data := c.Bytes()
				f, err := elffile.NewFile(bytes.NewReader(data), uint64(len(data)))
				if err != nil {
					t.Fatal(err)
				}
				images, files = append(images, data), append(files, f)
			}
			for _, features := range []feature.Set{feature.Default(), feature.Default().With(feature.TrueSignature)} {
				res, err := (&encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: features}}).EncodeAll(t.Context(), files)
				if err != nil {
					t.Fatal(err)
				}
				if want := peer.EncodeAll(t, images, features.Names()); !bytes.Equal(res.Object.AppendWire(nil), want) {
					t.Errorf("%s: got\n%s\nwant the peer's\n%s", features, allFuncs(res.Object), show(want))
				}
			}
		})
	}
}
