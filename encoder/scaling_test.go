//go:build unix

package encoder_test

import (
	"bytes"
	"context"
	"debug/dwarf"
	"debug/elf"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/sorted"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// TestScaling: an image that is four times as large takes about four times as long, whichever part of it grows. Quadratic code would take sixteen
// times as long. The test compares the lowest CPU time of several runs, so other load on the machine has little influence.
func TestScaling(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const grows, most, noise, tries = 4, 9, 30 * time.Millisecond, 6
	types := slices.Concat(typeShapes(), unitShapes())
	for i, s := range slices.Concat(types, symbolShapes()) {
		for _, exact := range []bool{false, true} {
			if exact && i >= len(types) { // fast path and exact engine take the same time for these
				continue
			}
			opt := encoder.Encoder{Options: encoder.Options{Features: feature.Default().With(feature.GlobalVar)}, Workers: 1, Exact: exact}
			small, large := s.image(s.n), s.image(grows*s.n)
			var one, four time.Duration
			for try := range tries {
				if took := encodingTime(t, s.name, small, opt); try == 0 || took < one {
					one = took
				}
				if took := encodingTime(t, s.name, large, opt); try == 0 || took < four {
					four = took
				}
				if four <= most*one+noise {
					break
				}
			}
			if four > most*one+noise {
				t.Errorf("%s, exact=%v: %d take %v, %d take %v", s.name, exact, s.n, one, grows*s.n, four)
			}
		}
	}
}

// image builds the shape with size n.
func (s *shape) image(n int) []byte {
	b := synth.New(synth.Target{})
	s.make(b, n)
	return b.Bytes()
}

// encodingTime returns the CPU time of encoding, verifying and sorting an image.
func encodingTime(t *testing.T, name string, data []byte, opt encoder.Encoder) time.Duration {
	t.Helper()
	runtime.GC()
	start := cpuTime(t)
	res, err := encodeBytes(data, opt)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	_ = verify.Check(res.Object.AppendWire(nil), verify.Options{}) // kernels refuse some of them as too deep
	sorted.ByName(res.Object)
	return cpuTime(t) - start
}

func cpuTime(t *testing.T) time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		t.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// A countdown is a context that is canceled after a number of calls of Err.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestCanceled: an encoding ends when its context is canceled, whatever it is doing. It checks the context often enough: also inside a long unit
// and inside deduplication.
func TestCanceled(t *testing.T) {
	data := (&shape{make: func(b *synth.Builder, n int) {
		differing(b, func(cu *synth.CU, end *synth.DIE) {
			cu.Add(end)
			for i := range n {
				cu.Add(synth.NewDIE(dwarf.TagStructType, synth.Name(numbered("s", i)), synth.Num(dwarf.AttrByteSize, synth.FormData1, 8),
					synth.NewDIE(dwarf.TagMember, synth.Name("m"), synth.Type(end), synth.Num(dwarf.AttrDataMemberLoc, synth.FormData1, 0))))
			}
		})
	}}).image(30000)
	for _, exact := range []bool{false, true} {
		asked := int64(0)
		for ; ; asked += 1 + asked/4 {
			ctx := &countdown{Context: context.Background()}
			ctx.left.Store(asked)
			f, err := image.NewFile(bytes.NewReader(data), uint64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			_, err = (&encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, Workers: 1, Exact: exact}).Encode(ctx, f)
			if err == nil {
				break
			}
			if late := -ctx.left.Load(); !errors.Is(err, context.Canceled) || late > 3 {
				t.Fatalf("exact=%v, done when asked for the %dth time: got error %v, asked %d times more", exact, asked+1, err, late-1)
			}
		}
		if asked < 8 {
			t.Errorf("exact=%v: asked %d times only", exact, asked)
		}
	}
}

// A shape builds images of any size n, in which one thing grows with n.
type shape struct {
	name string
	n    int
	make func(b *synth.Builder, n int)
}

// onward creates n DIEs, each of which refers to the next one, so references lead forward. The last one refers to end.
func onward(cu *synth.CU, n int, make func(i int, to *synth.DIE) *synth.DIE, end *synth.DIE) *synth.DIE {
	dies := []*synth.DIE{end}
	for i := range n {
		dies = append(dies, make(i, dies[i]))
	}
	for i := range dies {
		cu.Add(dies[len(dies)-1-i])
	}
	return dies[n]
}

func unit(b *synth.Builder, name string) (cu *synth.CU, integer *synth.DIE) {
	cu = b.CU(name, synth.C11)
	return cu, cu.Base("int", 4, synth.Signed)
}

func numbered(name string, i int) string { return name + strconv.Itoa(i) }

// tagDIE is a declaration tag as clang writes it.
func tagDIE(value string) *synth.DIE {
	return synth.NewDIE(synth.TagLLVMAnnotation, synth.Name("btf_decl_tag"), synth.Str(dwarf.AttrConstValue, synth.FormStrp, value))
}

// function adds function i, with a symbol.
func function(b *synth.Builder, cu *synth.CU, text *synth.Section, name string, i int, ret *synth.DIE, params ...synth.Param) *synth.DIE {
	at := text.At(uint64(16 * i))
	f := cu.Func(name, at, 16, ret, params...)
	b.Symbol(name, at, 16, elf.STT_FUNC)
	return f
}

func in(cu *synth.CU, name string, typ *synth.DIE) synth.Param {
	return synth.Param{Name: name, Type: typ, Extra: []synth.Part{cu.Loc(synth.OpReg(5))}}
}

// modifier creates a pointer, qualifier or typedef by its letter.
func modifier(letter byte, to *synth.DIE) *synth.DIE {
	tag := map[byte]dwarf.Tag{'p': dwarf.TagPointerType, 'c': dwarf.TagConstType, 'v': dwarf.TagVolatileType, 't': dwarf.TagTypedef}[letter]
	d := synth.NewDIE(tag)
	if to != nil {
		d.Add(synth.Type(to))
	}
	return d
}

// differing creates two units. Each has a struct "end", with a different member, and the DIEs of above that refer to it.
func differing(b *synth.Builder, above func(cu *synth.CU, end *synth.DIE)) {
	for i, member := range []string{"int", "long"} {
		cu := b.CU(numbered("unit", i), synth.C11)
		m := cu.Base(member, 4*uint64(i+1), synth.Signed)
		end := synth.NewDIE(dwarf.TagStructType, synth.Name("end"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 4*uint64(i+1)))
		above(cu, end)
		end.Member(synth.Member{Name: "m", Type: m})
	}
}

// twice creates two equal units.
func twice(b *synth.Builder, fill func(cu *synth.CU, integer *synth.DIE)) {
	for i := range 2 {
		cu, integer := unit(b, numbered("unit", i))
		fill(cu, integer)
	}
}
