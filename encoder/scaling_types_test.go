//go:build unix

package encoder_test

import (
	"debug/dwarf"
	"fmt"

	"github.com/btfbatch/btfbatch/corpus/synth"
)

// typeShapes are shapes that grow in the types of one unit, or of two equal units.
func typeShapes() []shape {
	var list []shape
	add := func(name string, n int, make func(b *synth.Builder, n int)) {
		list = append(list, shape{name, n, make})
	}
	add("members of a struct", 10000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, integer *synth.DIE) {
			s := cu.Struct("s", 4*uint64(n))
			for i := range n {
				s.Member(synth.Member{Name: numbered("m", i), Type: integer, Off: 4 * uint64(i)})
			}
		})
	})
	add("nested structs without a name", 400, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, integer *synth.DIE) {
			s := cu.Struct("s", 4)
			for range n {
				s.Member(synth.Member{Name: "m", Type: integer})
				t := s.Struct("", 4)
				s.Member(synth.Member{Type: t})
				s = t
			}
			s.Member(synth.Member{Name: "m", Type: integer})
		})
	})
	add("structs without a name in one", 5000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, integer *synth.DIE) {
			s := cu.Struct("s", 4*uint64(n))
			for i := range n {
				t := s.Struct("", 4, synth.Member{Name: numbered("m", i), Type: integer})
				s.Member(synth.Member{Type: t, Off: 4 * uint64(i)})
			}
		})
	})
	add("params of a function", 10000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 64)
		cu, integer := unit(b, "unit")
		var ps []synth.Param
		for i := range n {
			ps = append(ps, in(cu, numbered("p", i), integer))
		}
		function(b, cu, text, "f", 0, nil, ps...)
	})
	add("array dims", 10000, func(b *synth.Builder, n int) {
		cu, integer := unit(b, "unit")
		dims := make([]int64, n)
		for i := range dims {
			dims[i] = 1
		}
		cu.Typedef("t", cu.Array(integer, integer, dims...))
	})
	add("arrays of arrays", 4000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, integer *synth.DIE) {
			t := integer
			for range n {
				t = cu.Array(t, integer, 1)
			}
			cu.Typedef("t", t)
		})
	})
	for _, letter := range []byte("pc") {
		name := map[byte]string{'p': "pointers", 'c': "consts"}[letter]
		add("a chain of "+name, 10000, func(b *synth.Builder, n int) {
			twice(b, func(cu *synth.CU, integer *synth.DIE) {
				onward(cu, n, func(_ int, to *synth.DIE) *synth.DIE { return modifier(letter, to) }, modifier('c', integer))
			})
		})
		add("a chain of "+name+" above what deviates", 10000, func(b *synth.Builder, n int) {
			differing(b, func(cu *synth.CU, end *synth.DIE) {
				onward(cu, n, func(_ int, to *synth.DIE) *synth.DIE { return modifier(letter, to) }, end)
			})
		})
		add("a chain back of "+name+" above what deviates", 10000, func(b *synth.Builder, n int) {
			differing(b, func(cu *synth.CU, end *synth.DIE) {
				cu.Add(end)
				t := end
				for range n {
					t = modifier(letter, t)
					cu.Add(t)
				}
			})
		})
	}
	add("nested structs without a name in Rust, each twice", 15, func(b *synth.Builder, n int) {
		unit(b, "first")
		for i := range 2 {
			cu := b.CU(numbered("unit", i), synth.Rust)
			t := cu.Base("int", 4, synth.Signed)
			for range n {
				t = cu.Struct("", 8, synth.Member{Name: "a", Type: t}, synth.Member{Name: "b", Type: t})
			}
			cu.Struct("x", 8, synth.Member{Name: "m", Type: t})
		}
	})
	add("a chain of structs above a look-alike", 4000, func(b *synth.Builder, n int) {
		for i, size := range []uint64{4, 0, 8, 0} {
			cu := b.CU(numbered("unit", i), synth.C11)
			if i == 2 {
				cu = b.CU("rust", synth.Rust)
			}
			x := synth.NewDIE(dwarf.TagStructType, synth.Name("x"))
			if cu.Add(x); size == 0 {
				x.Declaration()
			} else {
				x.Add(synth.Num(dwarf.AttrByteSize, synth.FormData1, size))
			}
			alike := synth.NewDIE(dwarf.TagStructType, synth.Name("t"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 8),
				synth.NewDIE(dwarf.TagMember, synth.Name("p"), synth.Type(cu.Pointer(x)), synth.Num(dwarf.AttrDataMemberLoc, synth.FormData1, 0)))
			if i == 2 {
				cu.Add(alike)
				continue
			}
			onward(cu, n, func(k int, to *synth.DIE) *synth.DIE {
				return synth.NewDIE(dwarf.TagStructType, synth.Name(numbered("s", k)), synth.Num(dwarf.AttrByteSize, synth.FormData1, 8),
					synth.NewDIE(dwarf.TagMember, synth.Name("m"), synth.Type(to), synth.Num(dwarf.AttrDataMemberLoc, synth.FormData1, 0)))
			}, alike)
		}
	})
	add("a chain of typedefs", 4000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, integer *synth.DIE) { chainOfTypedefs(cu, n, modifier('c', integer)) })
	})
	add("a chain of typedefs above what deviates", 4000, func(b *synth.Builder, n int) {
		differing(b, func(cu *synth.CU, end *synth.DIE) { chainOfTypedefs(cu, n, end) })
	})
	add("a chain of structs", 4000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, integer *synth.DIE) { chainOfStructs(cu, n, modifier('c', integer)) })
	})
	add("a chain of structs above what deviates", 4000, func(b *synth.Builder, n int) {
		differing(b, func(cu *synth.CU, end *synth.DIE) { chainOfStructs(cu, n, end) })
	})
	add("a chain back of typedefs above what deviates", 4000, func(b *synth.Builder, n int) {
		differing(b, func(cu *synth.CU, end *synth.DIE) {
			cu.Add(end)
			for i := range n {
				end = cu.Typedef(numbered("t", i), end)
			}
		})
	})
	add("a chain back of structs above what deviates", 4000, func(b *synth.Builder, n int) {
		differing(b, func(cu *synth.CU, end *synth.DIE) {
			cu.Add(end)
			for i := range n {
				end = cu.Struct(numbered("s", i), 8, synth.Member{Name: "m", Type: end})
			}
		})
	})
	add("enumerators", 10000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, _ *synth.DIE) {
			var values []synth.Value
			for i := range n {
				values = append(values, synth.Value{Name: numbered("E", i), Value: int64(i)})
			}
			cu.Enum("e", 4, nil, values...)
		})
	})
	add("enums without a name", 5000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, _ *synth.DIE) {
			for i := range n {
				cu.Enum("", 4, nil, synth.Value{Name: numbered("E", i), Value: 1})
			}
		})
	})
	add("atomic chains", 5000, func(b *synth.Builder, n int) {
		cu, integer := unit(b, "unit")
		t := integer
		for i := range n {
			t = cu.DIE(0x47, synth.Type(t))
			cu.Typedef(numbered("t", i), t)
		}
	})
	return list
}

// chainOfTypedefs creates n typedefs, each of which refers to the next one.
func chainOfTypedefs(cu *synth.CU, n int, end *synth.DIE) {
	onward(cu, n, func(i int, to *synth.DIE) *synth.DIE {
		return synth.NewDIE(dwarf.TagTypedef, synth.Name(numbered("t", i)), synth.Type(to))
	}, end)
}

// chainOfStructs creates n structs, each with a member of the next one.
func chainOfStructs(cu *synth.CU, n int, end *synth.DIE) {
	onward(cu, n, func(i int, to *synth.DIE) *synth.DIE {
		d := synth.NewDIE(dwarf.TagStructType, synth.Name(numbered("s", i)), synth.Num(dwarf.AttrByteSize, synth.FormData1, 8))
		d.DIE(dwarf.TagMember, synth.Name("m"), synth.Type(to), synth.Num(dwarf.AttrDataMemberLoc, synth.FormData1, 0))
		return d
	}, end)
}

// unitShapes are shapes that grow in the number of units, and in the definitions of one name.
func unitShapes() []shape {
	var list []shape
	add := func(name string, n int, make func(b *synth.Builder, n int)) {
		list = append(list, shape{name, n, make})
	}
	add("units", 1500, func(b *synth.Builder, n int) {
		for i := range n {
			cu, integer := unit(b, numbered("unit", i))
			cu.Struct("shared", 4, synth.Member{Name: "m", Type: integer})
			cu.Struct(numbered("own", i), 4, synth.Member{Name: "m", Type: integer})
		}
	})
	add("units of many names", 1500, func(b *synth.Builder, n int) {
		for i := range n {
			cu, integer := unit(b, numbered("unit", i))
			for k := range 8 {
				cu.Struct(fmt.Sprintf("own%d_%d", i, k), 4, synth.Member{Name: "m", Type: integer})
			}
		}
	})
	add("units in which a name is another struct", 1500, func(b *synth.Builder, n int) {
		for i := range n {
			cu, integer := unit(b, numbered("unit", i))
			own := cu.Struct(numbered("own", i), 4, synth.Member{Name: "m", Type: integer})
			cu.Struct("s", 8, synth.Member{Name: "m", Type: cu.Pointer(own)})
		}
	})
	add("units in which a name is another enum", 1500, func(b *synth.Builder, n int) {
		for i := range n {
			cu, _ := unit(b, numbered("unit", i))
			cu.Enum("e", 4, nil, synth.Value{Name: numbered("E", i), Value: 1})
		}
	})
	add("units in which a name is another typedef", 1500, func(b *synth.Builder, n int) {
		for i := range n {
			cu, integer := unit(b, numbered("unit", i))
			cu.Typedef("t", cu.Struct(numbered("own", i), 4, synth.Member{Name: "m", Type: integer}))
		}
	})
	add("names doubled within a unit", 2000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, integer *synth.DIE) {
			for i := range n {
				for range 2 {
					s := cu.Struct(numbered("s", i), 4, synth.Member{Name: "m", Type: integer})
					cu.Struct(numbered("t", i), 8, synth.Member{Name: "m", Type: cu.Pointer(s)})
				}
			}
		})
	})
	add("units with a doubled name each", 1500, func(b *synth.Builder, n int) {
		for i := range n {
			cu, integer := unit(b, numbered("unit", i))
			for range 2 {
				cu.Struct(numbered("s", i), 4, synth.Member{Name: "m", Type: integer})
			}
		}
	})
	add("one name many times within a unit", 2000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, integer *synth.DIE) {
			for range n {
				s := cu.Struct("s", 4, synth.Member{Name: "m", Type: integer})
				cu.Struct("t", 8, synth.Member{Name: "m", Type: cu.Pointer(s)})
			}
		})
	})
	add("forwards", 5000, func(b *synth.Builder, n int) {
		for i := range 2 {
			cu, integer := unit(b, numbered("unit", i))
			for k := range n {
				if i == 0 {
					cu.Pointer(cu.Forward(dwarf.TagStructType, numbered("s", k)))
				} else {
					cu.Struct(numbered("s", k), 4, synth.Member{Name: "m", Type: integer})
				}
			}
		}
	})
	add("ambiguous names", 1500, func(b *synth.Builder, n int) {
		for i := range 3 {
			cu, integer := unit(b, numbered("unit", i))
			for k := range n {
				var s *synth.DIE
				switch i {
				case 0:
					s = cu.Forward(dwarf.TagStructType, numbered("s", k))
				case 1:
					s = cu.Struct(numbered("s", k), 4, synth.Member{Name: "m", Type: integer})
				default:
					s = cu.Struct(numbered("s", k), 8, synth.Member{Name: "other", Type: integer})
				}
				cu.Struct(numbered("t", k), 8, synth.Member{Name: "p", Type: cu.Pointer(s)})
			}
		}
	})
	add("an ambiguous name under a chain", 4000, func(b *synth.Builder, n int) {
		for i := range 3 {
			cu, integer := unit(b, numbered("unit", i))
			end := synth.NewDIE(dwarf.TagStructType, synth.Name("end"))
			chainOfStructs(cu, n, end)
			switch i {
			case 0:
				end.Declaration()
			default:
				end.Add(synth.Num(dwarf.AttrByteSize, synth.FormData1, uint64(4*i)))
				end.Member(synth.Member{Name: numbered("m", i), Type: integer})
			}
		}
	})
	add("unions holding each other", 4000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, integer *synth.DIE) {
			t := integer
			for i := range n {
				t = cu.Union(numbered("u", i), 4, synth.Member{Name: "a", Type: t}, synth.Member{Name: "b", Type: t}, synth.Member{Name: "c", Type: t})
			}
		})
	})
	return append(list, tableShapes()...)
}

// tableShapes are shapes that grow in the number of units, and in the length of the abbreviation tables that the units use in turn.
func tableShapes() []shape {
	turns := func(b *synth.Builder, n int, more func(cu *synth.CU, i int, first *synth.DIE)) {
		var owners []*synth.CU
		var first *synth.DIE
		for i := range 2 {
			cu, integer := unit(b, numbered("owner", i))
			for k := range n {
				cu.DIE(dwarf.TagTypedef, synth.Name(numbered("t", k)), synth.Type(integer), synth.Num(dwarf.Attr(0x2300+k%4000), synth.FormData1, 1),
					synth.Num(dwarf.Attr(0x2300+k/4000), synth.FormData2, 1))
			}
			owners, first = append(owners, cu), integer
		}
		for i := range n {
			cu := b.CU(numbered("unit", i), synth.C11, synth.ShareAbbrevs(owners[i%2]))
			more(cu, i, first)
		}
	}
	return []shape{
		{"units that take turns with two long tables", 3000, func(b *synth.Builder, n int) {
			turns(b, n, func(cu *synth.CU, _ int, _ *synth.DIE) { cu.Base("int", 4, synth.Signed) })
		}},
		{"units that refer into others and take turns with two long tables", 2000, func(b *synth.Builder, n int) {
			turns(b, n, func(cu *synth.CU, i int, first *synth.DIE) {
				cu.DIE(dwarf.TagTypedef, synth.Name(numbered("u", i)), synth.Ref(dwarf.AttrType, synth.FormRefAddr, first))
			})
		}},
	}
}
