package verify

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// generateFields makes blobs of structs with special fields: locks, lists, trees, reference counts and kernel pointers, inside arrays,
// structs, qualifiers and tags. Nearly all of them pass every check before that of the fields.
func generateFields(r *rand.Rand) []byte {
	d := &draft{Rand: r, names: newBlob()}
	d.int = d.add(btf.KindInt, false, 0, "int", 4, word(4), word(1<<24|32))
	d.basics()
	d.specials()
	for n := 1 + min(r.IntN(10), r.IntN(16)); n > 0; n-- {
		switch r.IntN(16) {
		case 0, 1:
			d.array()
		case 2:
			d.qualify(d.any())
		case 3, 4, 5:
			d.pointer()
		case 6:
			d.declTag(d.any())
		case 7, 8, 9:
			d.composite(btf.KindStruct, r.IntN(4) == 0)
		case 10:
			d.composite(btf.KindUnion, r.IntN(4) == 0)
		default:
			d.holder()
		}
	}
	return d.bytes()
}

// A draft is BTF whose types have no ids yet, so that any of them can come first.
type draft struct {
	*rand.Rand
	names *blob
	int   int // the index of an int
	all   []draftType
}

type draftType struct {
	kind  btf.Kind
	size  uint32 // 0: none
	words []draftWord
}

// A draftWord is a number, or a type.
type draftWord struct {
	n  uint32
	of int // index of the type, plus one
}

func word(n uint32) draftWord { return draftWord{n: n} }

func typ(i int) draftWord { return draftWord{of: i + 1} }

// void is the argument of typ for no type.
const void = -1

func (d *draft) add(k btf.Kind, flag bool, vlen uint32, name string, size uint32, words ...draftWord) int {
	inf := info(uint32(k), vlen)
	if flag {
		inf |= kindFlagBit
	}
	off := uint32(0)
	if name != "" {
		off = d.names.str(name)
	}
	d.all = append(d.all, draftType{kind: k, size: size, words: append([]draftWord{word(off), word(inf)}, words...)})
	return len(d.all) - 1
}

// bytes gives ids to the types, in their order or in another.
func (d *draft) bytes() []byte {
	order := make([]int, len(d.all))
	for i := range order {
		order[i] = i
	}
	switch d.IntN(4) {
	case 0:
		d.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	case 1: // nearly in order
		for n := d.IntN(4); n > 0; n-- {
			i, j := d.IntN(len(order)), d.IntN(len(order))
			order[i], order[j] = order[j], order[i]
		}
	}
	ids := make([]uint32, len(d.all)+1)
	for n, i := range order {
		ids[i+1] = uint32(n + 1)
	}
	for _, i := range order {
		for _, w := range d.all[i].words {
			if w.of != 0 {
				w.n = ids[w.of]
			}
			d.names.words(w.n)
		}
	}
	return d.names.bytes()
}

func (d *draft) one(of ...string) string { return of[d.IntN(len(of))] }

// any returns a type that has a size. The last ones are the most likely.
func (d *draft) any() int {
	for range 32 {
		i := d.IntN(len(d.all))
		if d.IntN(3) != 0 {
			i = max(i, d.IntN(len(d.all)))
		}
		if d.all[i].size != 0 {
			return i
		}
	}
	return d.int
}

// basics are types that are not special.
func (d *draft) basics() {
	d.add(btf.KindPtr, false, 0, "", 8, typ(d.int))
	d.add(btf.KindStruct, false, 0, "verify_pointee", 8, word(8))
	d.add(btf.KindFwd, d.IntN(2) == 0, 0, "verify_declared", 0, word(0))
	d.add(btf.KindEnum, false, 0, "", 4, word(4))
	d.add(btf.KindFuncProto, false, 0, "", 0, typ(void))
	// Held in a list and in a tree.
	node := d.add(btf.KindStruct, false, 0, "bpf_list_node", 24, word(24))
	d.add(btf.KindStruct, false, 2, "s0", 32, word(32), word(d.names.str("m0")), typ(node), word(0),
		word(d.names.str("m1")), typ(d.int), word(192))
	if d.IntN(2) == 0 {
		tree := d.add(btf.KindStruct, false, 0, "bpf_rb_node", 32, word(32))
		d.add(btf.KindStruct, false, 2, "s1", 40, word(40), word(d.names.str("m0")), typ(d.int), word(0),
			word(d.names.str("m1")), typ(tree), word(64))
	}
}

// specials are the structs that kernels know by name, and some with similar names.
func (d *draft) specials() {
	known := []struct {
		name string
		size uint32
	}{{"bpf_timer", 16}, {"bpf_wq", 16}, {"bpf_task_work", 8}, {"bpf_dynptr", 16}, {"bpf_list_head_x", 16}, {"spin_lock", 4}}
	for _, s := range specials {
		if s.name != "" {
			known = append(known, struct {
				name string
				size uint32
			}{s.name, s.size})
		}
	}
	for _, s := range known {
		for n := []int{0, 1, 1, 1, 1, 2}[d.IntN(6)]; n > 0; n-- {
			size, kind := s.size, btf.KindStruct
			if d.IntN(16) == 0 {
				size += 4
			}
			if d.IntN(24) == 0 {
				kind = btf.KindUnion
			}
			d.add(kind, d.IntN(12) == 0, 0, s.name, size, word(size))
		}
	}
}

func (d *draft) array() {
	n := []uint32{0, 1, 1, 2, 2, 3, 5, 11, 12}[d.IntN(9)]
	of := d.any()
	d.add(btf.KindArray, false, 0, "", n*d.all[of].size, word(0), typ(of), typ(d.int), word(n))
}

// qualify adds qualifiers, typedefs and tags to a type.
func (d *draft) qualify(of int) int {
	size := uint32(0)
	if of != void {
		size = d.all[of].size
	}
	n := 1
	for d.IntN(3) == 0 {
		n++
	}
	last := btf.KindVoid
	for range n {
		k := []btf.Kind{btf.KindConst, btf.KindVolatile, btf.KindVolatile, btf.KindRestrict, btf.KindTypedef, btf.KindTypeTag}[d.IntN(6)]
		if d.IntN(3) == 0 && last != btf.KindVoid {
			k = last
		}
		if last == btf.KindTypeTag && k != last && d.IntN(8) != 0 {
			k = last // kernels before 7.2 refuse other qualifiers outside of a tag
		}
		last = k
		switch k {
		case btf.KindTypedef:
			of = d.add(k, false, 0, "td", size, typ(of))
		case btf.KindTypeTag:
			of = d.add(k, d.IntN(2) == 0, 0, d.tagText(), size, typ(of))
		default:
			of = d.add(k, false, 0, "", size, typ(of))
		}
	}
	return of
}

func (d *draft) tagText() string {
	if d.IntN(3) != 0 {
		return d.one("kptr", "kptr", "kptr_untrusted", "percpu_kptr")
	}
	return d.one("kptr", "kptr", "kptr_untrusted", "percpu_kptr", "uptr", "user", "percpu", "rcu", "kptr_ref", "kptr_", "x")
}

// pointer makes a pointer, mostly with one tag, and with qualifiers and typedefs around it.
func (d *draft) pointer() {
	to := void
	switch d.IntN(8) {
	case 0:
	case 1:
		to = d.any()
	case 2:
		to = d.IntN(len(d.all))
		if k := d.all[to].kind; k == btf.KindDeclTag {
			to = void
		}
	default:
		to = d.named(btf.KindStruct)
	}
	if d.IntN(8) == 0 {
		to = d.qualify(to)
	}
	size := uint32(0)
	if to != void {
		size = d.all[to].size
	}
	for n := []int{0, 1, 1, 1, 1, 1, 1, 2, 3}[d.IntN(9)]; n > 0; n-- {
		to = d.add(btf.KindTypeTag, d.IntN(3) == 0, 0, d.tagText(), size, typ(to))
	}
	if d.IntN(16) == 0 {
		to = d.qualify(to)
	}
	p := d.add(btf.KindPtr, false, 0, "", 8, typ(to))
	if d.IntN(3) == 0 {
		d.qualify(p)
	}
}

// named is a type of that kind with a name.
func (d *draft) named(k btf.Kind) int {
	var of []int
	for i := range d.all {
		if d.all[i].kind == k && d.all[i].words[0].n != 0 {
			of = append(of, i)
		}
	}
	return of[d.IntN(len(of))]
}

// composite makes a struct or union of any types.
func (d *draft) composite(k btf.Kind, flag bool) {
	members := make([]int, 1+d.IntN(5))
	for i := range members {
		members[i] = d.any()
		if d.IntN(12) == 0 {
			members[i] = d.qualify(members[i])
		}
	}
	d.compose(k, flag, members)
}

// holder makes a struct that is nearly valid: a lock, or none, a root, nodes and pointers.
func (d *draft) holder() {
	var members []int
	want := []string{d.one("bpf_spin_lock", "bpf_spin_lock", "bpf_res_spin_lock", "bpf_refcount")}
	for n := 1 + d.IntN(3); n > 0; n-- {
		want = append(want, d.one("bpf_list_head", "bpf_list_head", "bpf_rb_root", "bpf_list_node", "bpf_rb_node", "bpf_refcount"))
	}
	for _, name := range want {
		for i := range d.all {
			if d.all[i].kind == btf.KindStruct && d.name(i) == name {
				members = append(members, i)
				break
			}
		}
	}
	for n := d.IntN(3); n > 0; n-- {
		for range 32 {
			i := d.IntN(len(d.all))
			if k := d.all[i].kind; k == btf.KindPtr || k == btf.KindVolatile && d.all[i].size != 0 {
				members = append(members, i)
				break
			}
		}
	}
	if len(members) == 0 || d.IntN(4) == 0 {
		members = append(members, d.any())
	}
	if d.IntN(4) == 0 {
		d.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	}
	d.compose(btf.KindStruct, d.IntN(6) == 0, members)
}

func (d *draft) compose(k btf.Kind, flag bool, members []int) {
	var words []draftWord
	off, size := uint32(0), uint32(0)
	for i, m := range members {
		t := d.all[m]
		if k == btf.KindUnion {
			off = 0
		} else if d.IntN(8) != 0 {
			off = (off + 7) &^ 7
		}
		bits, wide := 8*off, uint32(0)
		if flag && t.kind == btf.KindInt && d.IntN(2) == 0 {
			wide = 1 + d.Uint32N(31)
			if k == btf.KindStruct && d.IntN(3) == 0 {
				bits++
			}
		}
		name := "m" + fmt.Sprint(i)
		if d.IntN(16) == 0 {
			name = "m0"
		}
		words = append(words, word(d.names.str(name)), typ(m), word(wide<<24|bits))
		size = max(size, off+t.size)
		off += t.size
		if d.IntN(16) == 0 {
			off -= min(off, 4)
		}
	}
	if d.IntN(40) == 0 && !flag && d.all[members[len(members)-1]].kind == btf.KindInt && k == btf.KindStruct {
		words[len(words)-1].n++ // not a multiple of 8
	}
	size = (size + 8) &^ 7
	name := "s" + fmt.Sprint(d.IntN(5))
	if d.IntN(12) == 0 {
		name = ""
	}
	id := d.add(k, flag, uint32(len(members)), name, size, append([]draftWord{word(size)}, words...)...)
	for i, m := range members {
		root := slices.Contains([]string{"bpf_list_head", "bpf_rb_root"}, d.name(m))
		if root && d.IntN(16) != 0 || d.IntN(24) == 0 {
			d.declTagAt(id, uint32(i))
		}
		if d.IntN(80) == 0 {
			d.declTagAt(id, uint32(i))
		}
	}
}

func (d *draft) name(i int) string { return d.nameAt(d.all[i].words[0].n) }

func (d *draft) nameAt(off uint32) string {
	rest := d.names.strs[off:]
	return string(rest[:slices.Index(rest, 0)])
}

// declTag tags some member, or a type itself.
func (d *draft) declTag(of int) {
	t := &d.all[of]
	if t.kind != btf.KindStruct && t.kind != btf.KindUnion {
		return
	}
	n := t.words[1].n & 0xffff
	if n == 0 || d.IntN(4) == 0 {
		d.declTagAt(of, 0xffffffff)
		return
	}
	d.declTagAt(of, d.Uint32N(n))
}

// nodes are the members that can link others in a struct whose i-th member is a root.
func (d *draft) nodes(of int, i uint32) (out []string) {
	want := "bpf_list_node"
	if t := d.all[of]; i < t.words[1].n&0xffff && d.name(t.words[3+3*i+1].of-1) == "bpf_rb_root" {
		want = "bpf_rb_node"
	}
	for i, t := range d.all {
		if t.kind != btf.KindStruct {
			continue
		}
		for m := 3; m+2 < len(t.words); m += 3 {
			if d.name(t.words[m+1].of-1) == want {
				out = append(out, d.name(i)+":"+d.nameAt(t.words[m].n))
			}
		}
	}
	return out
}

func (d *draft) declTagAt(of int, i uint32) {
	text := "contains:" + d.one("s0:m0", "s1:m1", "s2:m0", "s2:m1", "s3:m0", "s3:m1", "s4:m2")
	if nodes := d.nodes(of, i); d.IntN(12) != 0 && len(nodes) > 0 {
		text = "contains:" + d.one(nodes...)
	}
	if d.IntN(10) == 0 {
		text = d.one("contains:s0:", "contains:none:m0", "contains:s0", "x", "contains", "contains:", "contains::m0", "contains:s0:m0:m1", "contains:td:m0")
	}
	d.add(btf.KindDeclTag, d.IntN(4) == 0, 0, text, 0, typ(of), word(i))
}
