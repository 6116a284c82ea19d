package synth_test

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
)

// TestForms writes every form whose value package debug/dwarf returns, and checks the value and the attribute after it.
func TestForms(t *testing.T) {
	const at = dwarf.AttrConstValue
	some := synth.Abs(0x1234)
	for _, r := range []struct {
		name string
		min  int // DWARF version
		attr synth.Attr
		want any
	}{
		{"data1", 2, synth.Num(at, synth.FormData1, 0x7f), 0x7f},
		{"data2", 2, synth.Num(at, synth.FormData2, 0x1234), 0x1234},
		{"data4", 2, synth.Num(at, synth.FormData4, 0x12345678), 0x12345678},
		{"data8", 2, synth.Num(at, synth.FormData8, 1<<40), int64(1 << 40)},
		{"udata", 2, synth.Num(at, synth.FormUdata, 300), 300},
		{"sdata", 2, synth.Int(at, synth.FormSdata, -300), -300},
		{"flag", 2, synth.Num(at, synth.FormFlag, 1), true},
		{"flag_present", 4, synth.Flag(at), true},
		{"implicit_const", 5, synth.Int(at, synth.FormImplicitConst, -70), -70},
		{"string", 2, synth.Str(at, synth.FormString, "some text"), "some text"},
		{"strp", 2, synth.Str(at, synth.FormStrp, "some text"), "some text"},
		{"line_strp", 5, synth.Str(at, synth.FormLineStrp, "some text"), "some text"},
		{"strx", 5, synth.Str(at, synth.FormStrx, "some text"), "some text"},
		{"strx1", 5, synth.Str(at, synth.FormStrx1, "some text"), "some text"},
		{"strx2", 5, synth.Str(at, synth.FormStrx2, "some text"), "some text"},
		{"strx3", 5, synth.Str(at, synth.FormStrx3, "some text"), "some text"},
		{"strx4", 5, synth.Str(at, synth.FormStrx4, "some text"), "some text"},
		{"block1", 2, synth.Block(at, synth.FormBlock1, 1, 2), []byte{1, 2}},
		{"block2", 2, synth.Block(at, synth.FormBlock2, 1, 2), []byte{1, 2}},
		{"block4", 2, synth.Block(at, synth.FormBlock4, 1, 2), []byte{1, 2}},
		{"block", 2, synth.Block(at, synth.FormBlock, 1, 2), []byte{1, 2}},
		{"exprloc", 4, synth.Expr(at, synth.FormExprloc, synth.OpPlusUconst(200)), []byte{0x23, 0xc8, 1}},
		{"addr", 2, synth.Addr(at, synth.FormAddr, some), 0x1234},
		{"addrx", 5, synth.Addr(at, synth.FormAddrx, some), 0x1234},
		{"addrx1", 5, synth.Addr(at, synth.FormAddrx1, some), 0x1234},
		{"addrx2", 5, synth.Addr(at, synth.FormAddrx2, some), 0x1234},
		{"addrx3", 5, synth.Addr(at, synth.FormAddrx3, some), 0x1234},
		{"addrx4", 5, synth.Addr(at, synth.FormAddrx4, some), 0x1234},
		{"indirect", 2, synth.Indirect(synth.Num(at, synth.FormData2, 77)), 77},
		{"ref_alt", 4, synth.Num(at, synth.FormGNURefAlt, 0x99), 0x99},
		{"ref_sig8", 4, synth.Num(at, synth.FormRefSig8, 1<<40), int64(1 << 40)},
	} {
		for _, target := range synth.Targets() {
			for _, opts := range [][]synth.CUOption{nil, {synth.Dwarf64}} {
				if target.DWARF < r.min || opts != nil && target.DWARF < 3 {
					continue
				}
				b := synth.New(target)
				// Two units, and a decoy before the value, so that bases and indexes are not all zero.
				b.CU("first.c", synth.C11, opts...).DIE(dwarf.TagVariable, synth.Name("before"), r.attr)
				u := b.CU("second.c", synth.C11, opts...)
				u.DIE(dwarf.TagVariable, synth.Str(at, synth.FormStrp, "decoy"))
				u.DIE(dwarf.TagVariable, synth.Name("it"), r.attr, synth.Num(dwarf.AttrDeclLine, synth.FormData1, 42))
				_, d := open(t, b.Bytes())
				for _, name := range []string{"before", "it"} {
					if got := find(t, d, name).Val(at); fmt.Sprint(got) != fmt.Sprint(r.want) {
						t.Errorf("%s, %v, %d options: %s: got %v (%T), want %v", r.name, target, len(opts), name, got, got, r.want)
					}
				}
				if got := find(t, d, "it").Val(dwarf.AttrDeclLine); got != int64(42) {
					t.Errorf("%s, %v: what follows: got %v, want 42", r.name, target, got)
				}
			}
		}
	}
}

// TestReferences checks every form of reference: forward and backward, near and far, within a unit and to another one.
func TestReferences(t *testing.T) {
	for _, r := range []struct {
		name  string
		form  synth.Form
		far   int // DIEs between reference and target: a ref_udata then takes one byte one way and two the other
		other bool
	}{
		{"ref1", synth.FormRef1, 0, false}, {"ref2", synth.FormRef2, 60, false}, {"ref4", synth.FormRef4, 60, false},
		{"ref8", synth.FormRef8, 60, false}, {"udata", synth.FormRefUdata, 60, false}, {"addr", synth.FormRefAddr, 60, true},
	} {
		for _, target := range synth.Targets() {
			t.Run(target.String()+"-"+r.name, func(t *testing.T) {
				b := synth.New(target)
				u := b.CU("", 0)
				to := synth.NewDIE(dwarf.TagBaseType, synth.Name("a"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 4))
				tags := []dwarf.Tag{dwarf.TagPointerType, dwarf.TagConstType}
				u.DIE(tags[0], synth.Ref(dwarf.AttrType, r.form, to))
				for i := range r.far {
					u.Base(fmt.Sprint(i), 4, synth.Signed)
				}
				u.Add(to)
				u.DIE(tags[1], synth.Ref(dwarf.AttrType, r.form, to))
				if r.other {
					tags = append(tags, dwarf.TagVolatileType)
					b.CU("other.c", synth.C11).DIE(tags[2], synth.Ref(dwarf.AttrType, r.form, to))
				}
				_, d := open(t, b.Bytes())
				var got []dwarf.Tag
				for _, e := range entries(t, d) {
					if off, ok := e.Val(dwarf.AttrType).(dwarf.Offset); ok {
						got = append(got, e.Tag)
						if uint64(off) != to.Offset() {
							t.Errorf("%v: got %#x, want %#x", e.Tag, off, to.Offset())
						}
					}
				}
				if fmt.Sprint(got) != fmt.Sprint(tags) {
					t.Errorf("got references from %v, want %v", got, tags)
				}
				if got := find(t, d, "a").Offset; uint64(got) != to.Offset() {
					t.Errorf("target: got %#x, want %#x", to.Offset(), got)
				}
			})
		}
	}
}

// TestTypeUnits follows a ref_sig8 into .debug_types and reads a DWARF 5 type unit.
func TestTypeUnits(t *testing.T) {
	const signature = 0x1122334455667788
	for _, target := range synth.Targets() {
		if target.DWARF < 4 {
			continue
		}
		t.Run(target.String(), func(t *testing.T) {
			b := synth.New(target)
			about := synth.NewDIE(dwarf.TagStructType, synth.Name("far"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 12))
			tu := b.CU("", synth.C11, synth.TypeUnit(signature, about))
			tu.Base("filler", 4, synth.Signed)
			tu.Add(about)
			u := b.CU("a.c", synth.C11)
			u.DIE(dwarf.TagTypedef, synth.Name("near"), synth.Ref(dwarf.AttrType, synth.FormRefSig8, about))
			_, d := open(t, b.Bytes())
			e := find(t, d, "near")
			if got := e.Val(dwarf.AttrType); got != uint64(signature) {
				t.Fatalf("got %v, want the signature", got)
			}
			if target.DWARF == 5 { // debug/dwarf follows signatures into .debug_types only
				if got := find(t, d, "far").Offset; uint64(got) != about.Offset() {
					t.Errorf("got the type at %#x, want %#x", got, about.Offset())
				}
				return
			}
			if typ, err := d.Type(e.Offset); err != nil || typ.Size() != 12 {
				t.Errorf("got %v, %v, want 12 bytes", typ, err)
			}
		})
	}
}

func TestRanges(t *testing.T) {
	for _, target := range synth.Targets() {
		b := synth.New(target)
		text := b.Text(".text", 0x8000, 64)
		pairs := [][2]synth.Place{{text.At(0), text.At(8)}, {text.At(16), text.At(20)}}
		forms := map[int][]synth.Form{2: {synth.FormData4}, 3: {synth.FormData4}, 4: {synth.FormSecOffset},
			5: {synth.FormSecOffset, synth.FormRnglistx, synth.FormRnglistx}}[target.DWARF]
		u := b.CU("a.c", synth.C11, synth.With(synth.Num(dwarf.AttrLowpc, synth.FormAddr, 0)))
		for _, f := range forms {
			u.DIE(dwarf.TagSubprogram, synth.Name("split"), synth.Ranges(f, pairs...))
		}
		_, d := open(t, b.Bytes())
		n := 0
		for _, e := range entries(t, d) {
			if e.Tag != dwarf.TagSubprogram {
				continue
			}
			n++
			got, err := d.Ranges(e)
			if err != nil || fmt.Sprint(got) != "[[32768 32776] [32784 32788]]" {
				t.Errorf("%v: got %v, %v", target, got, err)
			}
		}
		if n != len(forms) {
			t.Errorf("%v: got %d functions, want %d", target, n, len(forms))
		}
	}
}

// TestLocationLists compares lists with bytes written by hand, because debug/dwarf does not read lists.
func TestLocationLists(t *testing.T) {
	le := synth.Target{Class: elf.ELFCLASS32, Order: binary.LittleEndian, DWARF: 4}
	be := synth.Target{Class: elf.ELFCLASS32, Order: binary.BigEndian, Machine: elf.EM_PPC, DWARF: 5}
	two := []synth.LocEntry{synth.LocBase(synth.Abs(0x100)), synth.LocRange(4, 8, synth.OpReg(3))}
	every := []synth.LocEntry{
		synth.LocStartxLength(synth.Abs(0x40), 4, synth.OpEntryValue(synth.OpReg(1))),
		synth.LocDefault(synth.OpLit(2)),
		synth.LocStartEnd(synth.Abs(1), synth.Abs(2)),
		synth.LocStartLength(synth.Abs(1), 2),
		synth.LocBasex(synth.Abs(0x40)),
		synth.LocStartxEndx(synth.Abs(0x40), synth.Abs(0x41)),
		synth.LocRaw(9, 1, 1),
	}
	for _, r := range []struct {
		name    string
		target  synth.Target
		form    synth.Form
		entries []synth.LocEntry
		section string
		want    string
	}{
		{"dwarf4", le, synth.FormSecOffset, two, ".debug_loc",
			"ffffffff 00010000 04000000 08000000 0100 53 00000000 00000000"},
		{"dwarf5", be, synth.FormSecOffset, two, ".debug_loclists",
			"00000013 0005 04 00 00000000  06 00000100  04 04 08 01 53  00"},
		{"dwarf5-index", be, synth.FormLoclistx, every, ".debug_loclists",
			"00000031 0005 04 00 00000001 00000004  03 00 04 03 a3 01 51  05 01 32  07 00000001 00000002 00" +
				"  08 00000001 02 00  01 00  02 00 01 00  09 01 01  00"},
	} {
		t.Run(r.name, func(t *testing.T) {
			b := synth.New(r.target)
			b.CU("a.c", synth.C11).DIE(dwarf.TagVariable, synth.LocList(dwarf.AttrLocation, r.form, r.entries...))
			f, _ := open(t, b.Bytes())
			got, err := f.Section(r.section).Data()
			if err != nil {
				t.Fatal(err)
			}
			if g, want := fmt.Sprintf("%x", got), strings.ReplaceAll(r.want, " ", ""); g != want {
				t.Errorf("got  %s\nwant %s", g, want)
			}
		})
	}
}
