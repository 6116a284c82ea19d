package implicit_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/implicit"
	"github.com/btfbatch/btfbatch/encoder/sorted"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// tool is the kernel's build tool, resolve_btfids of Linux 7.2 (Debian: linux-kbuild-7.2.*), which creates the goldens.
var tool = flag.String("resolve-btfids", "", "make the goldens anew with this resolve_btfids")

const flagImplicit = 1 << 16

// A kfunc is a function of a fixture.
type kfunc struct {
	name    string
	params  []btf.ID
	tags    []string // declaration tags of the function besides bpf_kfunc
	flags   uint32
	untyped bool // without the tag bpf_kfunc
}

// A fixture is a BTF object with the types that implicit parameters can have.
type fixture struct {
	*btf.Object
	base                                          *btf.Object
	integer, aux, meta, constAux, constMeta, u64  btf.ID
	typedefAux, auxTypedef, constPtr, ptrPtr, fwd btf.ID
	union, volatileAux, tagged, other             btf.ID
}

func newFixture(base *btf.Object) *fixture {
	f := &fixture{Object: btf.New(binary.LittleEndian, base)}
	f.integer = f.add(btf.KindInt, "int", 4, 1<<24|32)
	aux, meta := f.add(btf.KindStruct, "bpf_prog_aux", 4), f.add(btf.KindStruct, "btf_struct_meta", 4)
	ptr := func(to btf.ID) btf.ID { return f.add(btf.KindPtr, "", uint32(to)) }
	f.aux, f.meta, f.other = ptr(aux), ptr(meta), ptr(f.add(btf.KindStruct, "other", 4))
	f.u64 = f.add(btf.KindTypedef, "u64", uint32(f.integer))
	f.constAux = ptr(f.add(btf.KindConst, "", uint32(aux)))
	f.constMeta = ptr(f.add(btf.KindConst, "", uint32(meta)))
	f.typedefAux = ptr(f.add(btf.KindTypedef, "aux_t", uint32(aux)))
	f.auxTypedef = f.add(btf.KindTypedef, "paux_t", uint32(f.aux))
	f.constPtr = f.add(btf.KindConst, "", uint32(f.aux))
	f.ptrPtr = ptr(f.aux)
	f.fwd = ptr(f.add(btf.KindFwd, "bpf_prog_aux", 0))
	f.union = ptr(f.add(btf.KindUnion, "bpf_prog_aux", 4))
	f.volatileAux = ptr(f.add(btf.KindVolatile, "", f.At(f.constAux)[2]))
	f.tagged = ptr(f.add(btf.KindTypeTag, "user", uint32(aux)))
	return f
}

func (f *fixture) add(k btf.Kind, name string, rest ...uint32) btf.ID {
	off := uint32(0)
	if name != "" {
		off = f.Strings.Add([]byte(name))
	}
	return f.Append(append([]uint32{off, btf.Info(k, 0, false)}, rest...)...)
}

func (f *fixture) tag(text string, of btf.ID, component int32) {
	f.add(btf.KindDeclTag, text, uint32(of), uint32(component))
}

// function appends a prototype, a FUNC and its tags, except bpf_kfunc.
func (f *fixture) function(k kfunc, linkage uint32) btf.ID {
	proto := []uint32{0, btf.Info(btf.KindFuncProto, uint32(len(k.params)), false), uint32(f.integer)}
	for i, p := range k.params {
		name := uint32(0)
		if p != 0 {
			name = f.Strings.Add([]byte{'p', '0' + byte(i)})
		}
		proto = append(proto, name, uint32(p))
	}
	id := f.Append(f.Strings.Add([]byte(k.name)), btf.Info(btf.KindFunc, linkage, false), uint32(f.Append(proto...)))
	for _, t := range k.tags {
		f.tag(t, id, -1)
	}
	return id
}

// A set is a set of kfuncs in .BTF_ids.
type set []kfunc

// image returns an image with the sets.
func image(sets ...set) []byte {
	b := synth.New(synth.Target{})
	var data []byte
	type symbol struct {
		name     string
		at, size uint64
	}
	var symbols []symbol
	order := binary.LittleEndian
	for i, s := range sets {
		at := uint64(len(data))
		data = order.AppendUint32(order.AppendUint32(data, 0), 1)
		for _, k := range s {
			symbols = append(symbols, symbol{"__BTF_ID__func__" + k.name + "__" + string('1'+rune(i)), uint64(len(data)), 4})
			data = order.AppendUint32(order.AppendUint32(data, 0), k.flags)
		}
		symbols = append(symbols, symbol{"__BTF_ID__set8__" + string('s'+rune(i)), at, uint64(len(data)) - at})
	}
	sec := b.Section(".BTF_ids", elf.SHT_PROGBITS, elf.SHF_ALLOC, 0x20000, data)
	for _, s := range symbols {
		b.Local(s.name, sec.At(s.at), s.size, elf.STT_OBJECT)
	}
	return b.Bytes()
}

// flagged returns a function that reports whether a name has the flag in the last set that contains it.
func flagged(sets []set) func(name []byte) bool {
	names := map[string]bool{}
	for _, s := range sets {
		for _, k := range s {
			names[k.name] = k.flags&flagImplicit != 0
		}
	}
	return func(name []byte) bool { return names[string(name)] }
}

// parameters has a kfunc for every kind of parameter list.
func parameters() (*fixture, []set) {
	f := newFixture(nil)
	i := f.integer
	list := set{}
	for _, k := range []kfunc{
		{name: "plain", params: []btf.ID{i, f.aux}},
		{name: "meta_and_offset", params: []btf.ID{i, f.meta, f.u64}},
		{name: "const_target", params: []btf.ID{i, f.constAux}},
		{name: "const_meta", params: []btf.ID{i, f.constMeta}},
		{name: "typedef_target", params: []btf.ID{i, f.typedefAux}},
		{name: "typedef_pointer", params: []btf.ID{i, f.auxTypedef}},
		{name: "const_pointer", params: []btf.ID{i, f.constPtr}},
		{name: "pointer_to_pointer", params: []btf.ID{i, f.ptrPtr}},
		{name: "fwd_target", params: []btf.ID{i, f.fwd}},
		{name: "union_target", params: []btf.ID{i, f.union}},
		{name: "volatile_const", params: []btf.ID{i, f.volatileAux}},
		{name: "type_tag", params: []btf.ID{i, f.tagged}},
		{name: "other_struct", params: []btf.ID{i, f.other}},
		{name: "first", params: []btf.ID{f.aux, i}},
		{name: "two", params: []btf.ID{i, f.aux, f.meta}},
		{name: "gap", params: []btf.ID{f.aux, i, f.aux}},
		{name: "none", params: []btf.ID{i}},
		{name: "no_parameters"},
		{name: "variadic", params: []btf.ID{i, f.aux, 0}},
		{name: "only", params: []btf.ID{f.aux}},
	} {
		k.flags = flagImplicit
		f.tag("bpf_kfunc", f.function(k, btf.LinkageStatic), -1)
		list = append(list, k)
	}
	return f, []set{list}
}

// functions has everything else that matters: flags, tags, names, order, linkage, and several sets.
func functions() (*fixture, []set) {
	f := newFixture(nil)
	i := f.integer
	hidden := []btf.ID{i, f.aux}
	list := []kfunc{
		{name: "unflagged", params: hidden},
		{name: "other_flags", params: hidden, flags: 0xffff},
		{name: "untagged", params: hidden, flags: flagImplicit, untyped: true},
		{name: "tags", params: hidden, tags: []string{"bpf_fastcall", "zzz"}, flags: flagImplicit},
		{name: "has_impl", params: hidden, flags: flagImplicit, tags: []string{"q"}},
		{name: "has_impl_impl", params: []btf.ID{i}, tags: []string{"keep"}},
		{name: "type", params: hidden, flags: flagImplicit},
		{name: "late", params: hidden, flags: flagImplicit, tags: []string{"q"}},
		{name: "twice_impl", params: []btf.ID{i, i, f.aux}, flags: flagImplicit},
		{name: "twice", params: hidden, flags: flagImplicit},
		{name: "second_set", params: hidden},
		{name: "first_set", params: hidden, flags: flagImplicit},
	}
	f.add(btf.KindStruct, "type_impl", 4)
	ids := map[string]btf.ID{}
	for n, k := range list {
		ids[k.name] = f.function(k, uint32(n%2)) // static and global
	}
	// The tags are in another order than the functions.
	for _, name := range []string{"twice", "late", "unflagged", "type", "other_flags", "tags", "has_impl_impl", "has_impl", "twice_impl", "second_set", "first_set"} {
		f.tag("bpf_kfunc", ids[name], -1)
	}
	f.tag("component", ids["late"], 0)
	other := set{{name: "second_set", flags: flagImplicit}, {name: "first_set"}}
	return f, []set{list, other}
}

// split returns the BTF of a module whose structs are in the base.
func split() (*fixture, []set) {
	base := newFixture(nil)
	f := &fixture{Object: btf.New(binary.LittleEndian, base.Object), base: base.Object, integer: base.integer}
	k := kfunc{name: "module_kfunc", params: []btf.ID{base.integer, base.constAux}, flags: flagImplicit}
	f.tag("bpf_kfunc", f.function(k, btf.LinkageStatic), -1)
	return f, []set{{k}}
}

// TestPeer compares the result with that of the kernel's build tool for the same BTF and image.
func TestPeer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		build func() (*fixture, []set)
	}{{"parameters", parameters}, {"functions", functions}, {"split", split}} {
		t.Run(tt.name, func(t *testing.T) {
			f, sets := tt.build()
			golden := filepath.Join("testdata", tt.name+".golden")
			if *tool != "" {
				if err := os.WriteFile(golden, runTool(t, f, image(sets...)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if implicit.Split(f.Object, flagged(sets)) == 0 {
				t.Error("no kfunc has implicit arguments")
			}
			got := sorted.ByName(f.Object)
			theirs, err := btf.Parse(want, f.base)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := dump.AppendRaw(nil, got), dump.AppendRaw(nil, theirs); !bytes.Equal(a, b) {
				t.Errorf("got\n%s\nwant\n%s", a, b)
			}
			if !bytes.Equal(got.Strings.Bytes(), theirs.Strings.Bytes()) {
				t.Errorf("strings %q, want %q", got.Strings.Bytes(), theirs.Strings.Bytes())
			}
		})
	}
}

// runTool returns the result of the kernel's build tool for a fixture.
func runTool(t *testing.T, f *fixture, image []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	path := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	link := path("image", image)
	args := []string{"--btf", path("in.btf", f.AppendWire(nil)), link}
	if f.base != nil {
		args = append([]string{"--btf_base", path("base.btf", f.base.AppendWire(nil))}, args...)
	}
	if out, err := exec.CommandContext(t.Context(), *tool, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got, err := os.ReadFile(link + ".BTF")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestTagsOfImplicitParameters: kernels refuse a tag of a parameter that the prototype lacks. The build tool leaves it there.
func TestTagsOfImplicitParameters(t *testing.T) {
	f := newFixture(nil)
	k := kfunc{name: "f", params: []btf.ID{f.integer, f.aux}, flags: flagImplicit}
	id := f.function(k, btf.LinkageStatic)
	f.tag("bpf_kfunc", id, -1)
	f.tag("explicit", id, 0)
	f.tag("implicit", id, 1)
	if n := implicit.Split(f.Object, func([]byte) bool { return true }); n != 1 {
		t.Fatalf("%d kfuncs", n)
	}
	of := map[string][]string{}
	for _, r := range f.All() {
		if r.Kind() == btf.KindDeclTag {
			of[f.Name(r.Name())] = append(of[f.Name(r.Name())], f.Name(f.At(r.Type()).Name()))
		}
	}
	if len(of["explicit"]) != 2 || len(of["implicit"]) != 1 || of["implicit"][0] != "f_impl" {
		t.Errorf("functions by their tags: %v", of)
	}
}

// TestOneName: the second FUNC with a name gets no second NAME_impl, as if the object had NAME_impl from the start.
func TestOneName(t *testing.T) {
	f := newFixture(nil)
	k := kfunc{name: "f", params: []btf.ID{f.integer, f.aux}}
	first, second := f.function(k, btf.LinkageStatic), f.function(k, btf.LinkageStatic)
	f.tag("bpf_kfunc", first, -1)
	f.tag("bpf_kfunc", second, -1)
	if n := implicit.Split(f.Object, func([]byte) bool { return true }); n != 2 {
		t.Fatalf("%d kfuncs", n)
	}
	params := map[string][]int{}
	for _, r := range f.All() {
		if r.Kind() == btf.KindFunc {
			params[f.Name(r.Name())] = append(params[f.Name(r.Name())], f.At(r.Type()).Vlen())
		}
	}
	if !slices.Equal(params["f"], []int{1, 1}) || !slices.Equal(params["f_impl"], []int{2}) {
		t.Errorf("numbers of parameters: %v", params)
	}
}

// TestTagOnBase: a tag of split BTF on a FUNC of the base changes neither.
func TestTagOnBase(t *testing.T) {
	base := newFixture(nil)
	fn := base.function(kfunc{name: "f", params: []btf.ID{base.integer, base.aux}}, btf.LinkageStatic)
	f := &fixture{Object: btf.New(binary.LittleEndian, base.Object), base: base.Object, integer: base.integer}
	f.tag("bpf_kfunc", fn, -1)
	whole, part := base.AppendWire(nil), f.AppendWire(nil)
	if n := implicit.Split(f.Object, func([]byte) bool { return true }); n != 0 {
		t.Errorf("%d kfuncs", n)
	}
	if !bytes.Equal(whole, base.AppendWire(nil)) || !bytes.Equal(part, f.AppendWire(nil)) {
		t.Error("the base or the split BTF changed")
	}
}

// TestNothingToDo: an object without flagged kfuncs stays unchanged.
func TestNothingToDo(t *testing.T) {
	f, _ := functions()
	before := f.AppendWire(nil)
	if n := implicit.Split(f.Object, func([]byte) bool { return false }); n != 0 || !bytes.Equal(before, f.AppendWire(nil)) {
		t.Errorf("%d kfuncs changed", n)
	}
}

// TestCycle: qualifiers that refer to each other end the search.
func TestCycle(t *testing.T) {
	o := btf.New(binary.LittleEndian, nil)
	o.Append(0, btf.Info(btf.KindConst, 0, false), 2)
	o.Append(0, btf.Info(btf.KindVolatile, 0, false), 1)
	if implicit.IsArgument(o, 1) || implicit.IsArgument(o, 9) {
		t.Error("no pointer, but an implicit argument")
	}
}
