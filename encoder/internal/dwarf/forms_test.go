package dwarf_test

import (
	stddwarf "debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// read calls f with a cursor on the DIE d of an image's first unit.
func read(t *testing.T, b *synth.Builder, d *synth.DIE, f func(u *dwarf.Unit, c *dwarf.Cursor, d *dwarf.Data)) {
	t.Helper()
	data := open(t, b.Bytes())
	u := firstUnit(t, data)
	var c dwarf.Cursor
	c.Start(u)
	if a := c.Read(int(d.Offset() - u.Off)); a == nil || c.Err != nil {
		t.Errorf("got no DIE: %v", c.Err)
		return
	}
	f(u, &c, data)
}

// targets are both byte orders and word sizes, in the 32-bit and the 64-bit DWARF format.
func targets() (all []synth.Target) {
	for _, t := range synth.Targets() {
		if t.DWARF >= 4 {
			all = append(all, t)
		}
	}
	return all
}

// everyForm has an attribute of every form, each with a different value.
func everyForm(cu *synth.CU, at stddwarf.Attr, to *synth.DIE) map[string]synth.Attr {
	block := []byte{1, 2, 3}
	return map[string]synth.Attr{
		"addr":          synth.Addr(at, synth.FormAddr, synth.Abs(0x1234)),
		"block":         synth.Block(at, synth.FormBlock, block...),
		"block1":        synth.Block(at, synth.FormBlock1, block...),
		"block2":        synth.Block(at, synth.FormBlock2, block...),
		"block4":        synth.Block(at, synth.FormBlock4, block...),
		"data1":         synth.Num(at, synth.FormData1, 0xfe),
		"data2":         synth.Num(at, synth.FormData2, 0xfedc),
		"data4":         synth.Num(at, synth.FormData4, 0xfedcba98),
		"data8":         synth.Num(at, synth.FormData8, 0xfedcba9876543210),
		"data16":        synth.Block(at, synth.FormData16, make([]byte, 16)...),
		"sdata":         synth.Int(at, synth.FormSdata, -300),
		"udata":         synth.Num(at, synth.FormUdata, 300),
		"implicit":      synth.Int(at, synth.FormImplicitConst, -7),
		"flag":          synth.Num(at, synth.FormFlag, 1),
		"flag_present":  synth.Flag(at),
		"string":        synth.Str(at, synth.FormString, "a string"),
		"strp":          synth.Str(at, synth.FormStrp, "a string"),
		"line_strp":     synth.Str(at, synth.FormLineStrp, "a string"),
		"strx":          synth.Str(at, synth.FormStrx, "a string"),
		"strx1":         synth.Str(at, synth.FormStrx1, "a string"),
		"strx2":         synth.Str(at, synth.FormStrx2, "a string"),
		"strx3":         synth.Str(at, synth.FormStrx3, "a string"),
		"strx4":         synth.Str(at, synth.FormStrx4, "a string"),
		"GNU_str_index": synth.Str(at, synth.FormGNUStrIndex, "a string"),
		"strp_sup":      synth.Num(at, synth.FormStrpSup, 3),
		"GNU_strp_alt":  synth.Num(at, synth.FormGNUStrpAlt, 3),
		"addrx":         synth.Addr(at, synth.FormAddrx, synth.Abs(0x1234)),
		"addrx1":        synth.Addr(at, synth.FormAddrx1, synth.Abs(0x1234)),
		"addrx2":        synth.Addr(at, synth.FormAddrx2, synth.Abs(0x1234)),
		"addrx3":        synth.Addr(at, synth.FormAddrx3, synth.Abs(0x1234)),
		"addrx4":        synth.Addr(at, synth.FormAddrx4, synth.Abs(0x1234)),
		"GNU_addr":      synth.Addr(at, synth.FormGNUAddrIndex, synth.Abs(0x1234)),
		"ref1":          synth.Ref(at, synth.FormRef1, to),
		"ref2":          synth.Ref(at, synth.FormRef2, to),
		"ref4":          synth.Ref(at, synth.FormRef4, to),
		"ref8":          synth.Ref(at, synth.FormRef8, to),
		"ref_udata":     synth.Ref(at, synth.FormRefUdata, to),
		"ref_addr":      synth.Ref(at, synth.FormRefAddr, to),
		"ref_sig8":      synth.Num(at, synth.FormRefSig8, 0x1122334455667788),
		"ref_sup4":      synth.Num(at, synth.FormRefSup4, 3),
		"ref_sup8":      synth.Num(at, synth.FormRefSup8, 3),
		"GNU_ref_alt":   synth.Num(at, synth.FormGNURefAlt, 3),
		"exprloc":       synth.Expr(at, synth.FormExprloc, synth.OpReg(3)),
		"sec_offset":    synth.Num(at, synth.FormSecOffset, 3),
		"loclistx":      synth.Num(at, synth.FormLoclistx, 3),
		"rnglistx":      synth.Num(at, synth.FormRnglistx, 3),
	}
}

// TestStepOver: an attribute that no rule reads is skipped, in any form and at any position.
func TestStepOver(t *testing.T) {
	const declFile = stddwarf.AttrDeclFile
	for _, target := range targets() {
		for _, dwarf64 := range []bool{false, true} {
			var opts []synth.CUOption
			if dwarf64 {
				opts = append(opts, synth.Dwarf64)
			}
			names := everyForm(nil, declFile, synth.NewDIE(stddwarf.TagBaseType))
			for name := range names {
				for _, indirect := range []bool{false, true} {
					b := synth.New(target)
					cu := b.CU("a.c", synth.C11, opts...)
					i := cu.Base("int", 4, synth.Signed)
					odd := everyForm(cu, declFile, i)[name]
					if indirect {
						if name == "implicit" {
							continue // its value is in the abbreviation
						}
						odd = synth.Indirect(odd)
					}
					d := cu.DIE(stddwarf.TagStructType, odd, synth.Name("between"), odd, synth.Num(stddwarf.AttrByteSize, synth.FormData2, 0x1234), odd)
					after := cu.Base("after", 8, synth.Signed)
					what := fmt.Sprintf("%v, 64-bit format %v, %s, indirect %v", target, dwarf64, name, indirect)
					read(t, b, d, func(u *dwarf.Unit, c *dwarf.Cursor, d *dwarf.Data) {
						got, size := nameOf(d, c), c.Value(dwarf.SlotSize)
						if got != "between" || size != 0x1234 {
							t.Errorf("%s: got %q of %#x bytes, want between of 0x1234", what, got, size)
						}
						if want := int(after.Offset() - u.Off); c.Next != want {
							t.Errorf("%s: next DIE at %d, want %d", what, c.Next, want)
						}
					})
				}
			}
		}
	}
}

// TestLongDIE: attributes far from the start of a DIE are read correctly, whether or not its length varies.
func TestLongDIE(t *testing.T) {
	for _, target := range targets() {
		for _, varying := range []bool{false, true} {
			for _, n := range []int{10, 20, 1020, 1030, 2050} {
				b := synth.New(target)
				cu := b.CU("a.c", synth.C11)
				all := make([]synth.Part, 0, n+4)
				for range n {
					all = append(all, everyForm(nil, stddwarf.AttrDeclFile, nil)["data16"])
				}
				if varying {
					all = append(all, everyForm(nil, stddwarf.AttrDeclLine, nil)["udata"], all[0])
				}
				all = append(all, synth.Name("far"), synth.Num(stddwarf.AttrByteSize, synth.FormData2, 0x1234))
				d := cu.DIE(stddwarf.TagStructType, all...)
				after := cu.Base("after", 8, synth.Signed)
				read(t, b, d, func(u *dwarf.Unit, c *dwarf.Cursor, d *dwarf.Data) {
					if got, size := nameOf(d, c), c.Value(dwarf.SlotSize); got != "far" || size != 0x1234 {
						t.Errorf("%v, %d attributes, varying %v: got %q of %#x bytes, want far of 0x1234", target, n, varying, got, size)
					}
					if want := int(after.Offset() - u.Off); c.Next != want {
						t.Errorf("%v, %d attributes, varying %v: next DIE at %d, want %d", target, n, varying, c.Next, want)
					}
				})
			}
		}
	}
}

// nameOf returns the name of the DIE.
func nameOf(d *dwarf.Data, c *dwarf.Cursor) string { return string(d.Strings.Append(nil, c.Name())) }

// eachForm reads one attribute in every form. want has the expected result of f by form; for other forms, fallback is expected.
func eachForm(t *testing.T, tag stddwarf.Tag, at stddwarf.Attr, want map[string]uint64, fallback uint64, f func(u *dwarf.Unit, c *dwarf.Cursor) uint64) {
	t.Helper()
	for _, target := range targets() {
		for name := range everyForm(nil, at, synth.NewDIE(tag)) {
			for _, indirect := range []bool{false, true} {
				if indirect && name == "implicit" {
					continue
				}
				b := synth.New(target)
				cu := b.CU("a.c", synth.C11)
				to := cu.Base("int", 4, synth.Signed)
				a := everyForm(cu, at, to)[name]
				if indirect {
					a = synth.Indirect(a)
				}
				d := cu.DIE(tag, a)
				read(t, b, d, func(u *dwarf.Unit, c *dwarf.Cursor, _ *dwarf.Data) {
					want, ok := want[name]
					switch {
					case !ok:
						want = fallback
					case want == target0:
						want = to.Offset() - u.Off
					}
					if got := f(u, c); got != want {
						t.Errorf("%v: %v as %s, indirect %v: got %#x, want %#x", target, at, name, indirect, got, want)
					}
				})
			}
		}
	}
}

// target0 stands for the offset of the DIE that is the target of references.
const target0 = 0xdeadbeef

// numbers are the forms with a number, and the form of addresses.
var numbers = map[string]uint64{"data1": 0xfe, "data2": 0xfedc, "data4": 0xfedcba98, "data8": 0xfedcba9876543210, "sdata": uint64(1<<64 - 300), "udata": 300,
	"implicit": uint64(1<<64 - 7), "flag": 1, "flag_present": 1, "addr": 0x1234}

// Rule 01/3.1: forms that are not numbers give 0.
func TestNumbers(t *testing.T) {
	value := func(s dwarf.Slot) func(*dwarf.Unit, *dwarf.Cursor) uint64 {
		return func(_ *dwarf.Unit, c *dwarf.Cursor) uint64 { return c.Value(s) }
	}
	eachForm(t, stddwarf.TagStructType, stddwarf.AttrByteSize, numbers, 0, value(dwarf.SlotSize))
	eachForm(t, stddwarf.TagBaseType, stddwarf.AttrEncoding, numbers, 0, value(dwarf.SlotEncoding))
	eachForm(t, stddwarf.TagMember, stddwarf.AttrBitSize, numbers, 0, value(dwarf.SlotBitSize))
	eachForm(t, stddwarf.TagMember, stddwarf.AttrBitOffset, numbers, 0, value(dwarf.SlotBitOffset))
	eachForm(t, stddwarf.TagEnumerator, stddwarf.AttrConstValue, numbers, 0, value(dwarf.SlotConst))
	eachForm(t, stddwarf.TagSubrangeType, stddwarf.AttrCount, numbers, 0, value(dwarf.SlotCount))
	eachForm(t, stddwarf.TagSubprogram, stddwarf.AttrInline, numbers, 0, value(dwarf.SlotInline))
	eachForm(t, stddwarf.TagSubprogram, stddwarf.AttrCalling, numbers, 0, value(dwarf.SlotCallConv))
	eachForm(t, stddwarf.TagStructType, stddwarf.AttrDeclaration, numbers, 0, value(dwarf.SlotDecl))
}

// TestPresence: an attribute whose value does not matter is present in every form.
func TestPresence(t *testing.T) {
	present := func(s dwarf.Slot) func(*dwarf.Unit, *dwarf.Cursor) uint64 {
		return func(_ *dwarf.Unit, c *dwarf.Cursor) uint64 {
			if c.Present(s) {
				return 1
			}
			return 0
		}
	}
	eachForm(t, stddwarf.TagVariable, stddwarf.AttrExternal, nil, 1, present(dwarf.SlotExternal))
	eachForm(t, stddwarf.TagVariable, stddwarf.AttrArtificial, nil, 1, present(dwarf.SlotArtificial))
	eachForm(t, stddwarf.TagVariable, stddwarf.AttrDeclaration, nil, 1, present(dwarf.SlotDecl))
}

// Rule 01/3.4: the targets of references by form.
func TestReferences(t *testing.T) {
	want := map[string]uint64{"ref1": target0, "ref2": target0, "ref4": target0, "ref8": target0, "ref_udata": target0, "ref_addr": target0}
	eachForm(t, stddwarf.TagPointerType, stddwarf.AttrType, want, 0, func(_ *dwarf.Unit, c *dwarf.Cursor) uint64 {
		off, _ := c.Ref(dwarf.SlotType)
		return uint64(off)
	})
}

// Rule 01/6.8: addresses of functions.
func TestLowPC(t *testing.T) {
	eachForm(t, stddwarf.TagSubprogram, stddwarf.AttrLowpc, numbers, 0, func(u *dwarf.Unit, c *dwarf.Cursor) uint64 {
		if c.Present(dwarf.SlotLowPCX) {
			if u.Version < 5 { // there is no table
				return 0
			}
			if addr, ok := c.LowPC(); !ok || addr != 0x1234 {
				t.Errorf("indexed address: got %#x, %v, want 0x1234", addr, ok)
			}
			return 0
		}
		addr, _ := c.LowPC()
		return addr
	})
}

// TestStrings: a name is read in every form that has a string. Keys are compared and appended by their text.
func TestStrings(t *testing.T) {
	texts := []string{"", "a", "ab", "abc", "abcd", "a longer one", "\xff\xfe"}
	forms := map[string]synth.Form{"string": synth.FormString, "strp": synth.FormStrp, "line_strp": synth.FormLineStrp, "strx": synth.FormStrx,
		"strx1": synth.FormStrx1, "strx2": synth.FormStrx2, "strx3": synth.FormStrx3, "strx4": synth.FormStrx4}
	for _, target := range targets() {
		if target.DWARF < 5 {
			continue
		}
		for name, form := range forms {
			for _, text := range texts {
				for _, opts := range [][]synth.CUOption{nil, {synth.Dwarf64}} {
					b := synth.New(target)
					cu := b.CU("a.c", synth.C11, opts...)
					d := cu.DIE(stddwarf.TagStructType, synth.Str(stddwarf.AttrName, form, text))
					read(t, b, d, func(_ *dwarf.Unit, c *dwarf.Cursor, data *dwarf.Data) {
						key := c.Name()
						if got := string(data.Strings.Append(nil, key)); got != text {
							t.Errorf("%v: %s: got %q, want %q", target, name, got, text)
						}
						if !data.Strings.Equal(key, text) || data.Strings.Equal(key, text+"x") || data.Strings.Empty(key) != (text == "") {
							t.Errorf("%v: %s: key of %q compares otherwise", target, name, text)
						}
						if key := data.Strings.Key(text); !data.Strings.Equal(key, text) {
							t.Errorf("%v: key of the text %q is another text", target, text)
						}
					})
				}
			}
		}
	}
}

// TestConstStrings: constants, which annotations have, are read in every form that has a string.
func TestConstStrings(t *testing.T) {
	for _, form := range []synth.Form{synth.FormString, synth.FormStrp, synth.FormLineStrp, synth.FormStrx, synth.FormStrx1, synth.FormStrx2,
		synth.FormStrx3, synth.FormStrx4} {
		for _, text := range []string{"", "rcu", "a longer one"} {
			b := synth.New(synth.Target{})
			cu := b.CU("a.c", synth.C11)
			d := cu.DIE(synth.TagLLVMAnnotation, synth.Str(stddwarf.AttrName, form, "a name"), synth.Str(stddwarf.AttrConstValue, form, text))
			read(t, b, d, func(_ *dwarf.Unit, c *dwarf.Cursor, data *dwarf.Data) {
				if got := string(data.Strings.Append(nil, c.ConstString())); got != text {
					t.Errorf("form %#x: got %q, want %q", form, got, text)
				}
			})
		}
	}
}

// TestCut: in any form, a string that begins with the prefix is cut to the prefix. Texts that do not come from the image stay unchanged.
func TestCut(t *testing.T) {
	const prefix = "str"
	for text, want := range map[string]string{"str": prefix, "string": prefix, "st": "st", "a string": "a string", "": "", "Str": "Str"} {
		for _, form := range []synth.Form{synth.FormString, synth.FormStrp, synth.FormLineStrp, synth.FormStrx} {
			b := synth.New(synth.Target{})
			d := b.CU("a.c", synth.C11).DIE(stddwarf.TagStructType, synth.Str(stddwarf.AttrName, form, text))
			read(t, b, d, func(_ *dwarf.Unit, c *dwarf.Cursor, data *dwarf.Data) {
				data.Strings.Cut(prefix)
				if key := c.Name(); !data.Strings.Equal(key, want) {
					t.Errorf("%v %q: got %q, want %q", form, text, data.Strings.Append(nil, key), want)
				}
				if key := data.Strings.Key("strictly"); !data.Strings.Equal(key, "strictly") {
					t.Errorf("own text: got %q", data.Strings.Append(nil, key))
				}
			})
		}
	}
}

// TestNotAName: a name in a form that is not a string counts as no name.
func TestNotAName(t *testing.T) {
	for name, a := range everyForm(nil, stddwarf.AttrName, synth.NewDIE(stddwarf.TagBaseType)) {
		switch name {
		case "string", "strp", "line_strp", "strx", "strx1", "strx2", "strx3", "strx4", "GNU_str_index", "strp_sup", "GNU_strp_alt",
			"ref1", "ref2", "ref4", "ref8", "ref_udata", "ref_addr":
			continue
		}
		b := synth.New(synth.Target{Order: binary.BigEndian, Machine: elf.EM_S390})
		d := b.CU("a.c", synth.C11).DIE(stddwarf.TagStructType, a)
		read(t, b, d, func(_ *dwarf.Unit, c *dwarf.Cursor, data *dwarf.Data) {
			if got := c.Name(); got != 0 {
				t.Errorf("%s: got name %q, want none", name, data.Strings.Append(nil, got))
			}
		})
	}
}

// TestRuns: members have the numbers that they state, whether or not they can be in a run, for any width and position of the number.
func TestRuns(t *testing.T) {
	const n = 5
	number := func(v, width int) uint32 { return uint32(v)*0x01020304&uint32(1<<(8*width)-1) | 1 }
	for _, target := range targets() {
		for width, form := range map[int]synth.Form{1: synth.FormData1, 2: synth.FormData2, 4: synth.FormData4} {
			for _, row := range []struct {
				what    string
				stated  bool // they are in a run in both byte orders
				padding int  // blocks of 16 bytes before the type
				behind  int  // blocks of 16 bytes after all other attributes
				first   bool // the number is the first attribute
			}{{"number last", true, 0, 0, false}, {"number first", width == 4, 0, 0, true}, {"long", true, 14, 0, false}, {"long behind", true, 0, 15, false},
				{"too long for a run", false, 16, 0, false}, {"too long behind", false, 0, 16, false}} {
				b := synth.New(target)
				cu := b.CU("a.c", synth.C11)
				i := cu.Base("int", 4, synth.Signed)
				var dies [n]*synth.DIE
				for v := range dies {
					at := synth.Num(stddwarf.AttrDataMemberLoc, form, uint64(number(v, width)))
					parts := []synth.Part{synth.Str(stddwarf.AttrName, synth.FormStrp, "member")}
					pad := synth.Block(stddwarf.AttrDeclFile, synth.FormData16, make([]byte, 16)...)
					for range row.padding {
						parts = append(parts, pad)
					}
					parts = append(parts, synth.Type(i), at)
					if row.first {
						parts[0], parts[len(parts)-1] = parts[len(parts)-1], parts[0]
					}
					for range row.behind {
						parts = append(parts, pad)
					}
					dies[v] = synth.NewDIE(stddwarf.TagMember, parts...)
				}
				s := cu.Struct("s", 64)
				for _, d := range dies {
					s.Add(d)
				}
				what := fmt.Sprintf("%v, %d bytes, %s", target, width, row.what)
				read(t, b, s, func(u *dwarf.Unit, c *dwarf.Cursor, _ *dwarf.Data) {
					var r dwarf.Run
					r.Read(c, dwarf.RunMembers, c.Next)
					if inRun := len(r.Words) / 3; row.stated && inRun != n || !row.stated && inRun != 0 && !row.first {
						t.Errorf("%s: got %d members in a run of %d", what, inRun, n)
					}
					var got []uint32
					for at := 2; at < len(r.Words); at += 3 {
						got = append(got, r.Words[at]/8)
					}
					for pos := r.Next; c.Read(pos) != nil; pos = c.Next {
						got = append(got, uint32(c.Value(dwarf.SlotMember)))
					}
					for v := range dies {
						if want := number(v, width) << 3 >> 3; len(got) != n || got[v]<<3>>3 != want {
							t.Errorf("%s: got %#x, want %#x for number %d", what, got, want, v)
							break
						}
					}
				})
			}
		}
	}
}
