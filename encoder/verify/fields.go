package verify

import (
	"bytes"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Special fields are locks, list heads and nodes, tree roots and nodes, reference counts and kernel pointers in structs (rule 05/8). A load
// finds them for later use by programs, and refuses the blob without a log line if one is invalid.
//
// A struct is parsed if the type of one of its members is itself special. The parse follows arrays, structs held by value, and one volatile
// before a pointer, but no other qualifier and no typedef. A type tag with kind flag is an attribute and does not count as a tag. A kernel
// pointer to a struct of the kernel needs a destructor, which the structs named in this file do not have. For other structs only the
// running kernel knows; they are treated as structs of the program. Special types in unions and other places without meaning are skipped.
// The result for each struct is kept, so each struct is walked once.

// A fieldKind is a kind of special field.
type fieldKind uint8

const (
	spinLock fieldKind = iota
	resLock
	listHead
	listNode
	rbRoot
	rbNode
	refCount
	kptr
	noField
)

// specials lists the special structs by name and size.
var specials = [...]struct {
	name        string
	size, align uint32
	once        bool // per struct
	starts      bool // a struct with a member of this type is parsed
	repeats     bool // allowed in an array
}{
	spinLock: {name: "bpf_spin_lock", size: 4, align: 4, once: true, starts: true},
	resLock:  {name: "bpf_res_spin_lock", size: 4, align: 4, once: true},
	listHead: {name: "bpf_list_head", size: 16, align: 8, starts: true, repeats: true},
	listNode: {name: "bpf_list_node", size: 24, align: 8, starts: true},
	rbRoot:   {name: "bpf_rb_root", size: 16, align: 8, starts: true, repeats: true},
	rbNode:   {name: "bpf_rb_node", size: 32, align: 8, starts: true},
	refCount: {name: "bpf_refcount", size: 4, align: 4, starts: true},
	kptr:     {size: 8, align: 8, repeats: true},
}

// kptrTags are the type tags that make a pointer a kernel pointer.
var kptrTags = []string{"kptr_untrusted", ownedTag, "percpu_kptr"}

// ownedTag is the tag whose pointers need a destructor.
const ownedTag = "kptr"

// othersOfKernel are names of more structs that every kernel with special fields has.
var othersOfKernel = []string{"bpf_timer", "bpf_dynptr", "bpf_wq", "bpf_task_work"}

// otherTag marks a pointer to user memory. It has an effect only in the value of a map.
const otherTag = "uptr"

const maxFields = 11

// Verdicts of this check. The kernel prints none, so the words are ours.
const (
	fieldTwice    = "field twice"
	fieldCount    = "too many fields"
	fieldOverlap  = "fields overlap"
	fieldNothing  = "no field where one was expected"
	fieldNoLock   = "root without lock"
	fieldContains = "root without content"
	fieldMissing  = "root of a missing type"
	fieldNodes    = "two nodes without reference count"
	fieldRepeat   = "field in an array"
	fieldBits     = "bit-field beside special fields"
	fieldCycle    = "ownership cycle"
	fieldLocks    = "two sorts of lock"
	fieldTag      = "tagged pointer beside special fields"
	fieldDtor     = "kernel pointer without destructor"
)

// A field is one special field. Its offset is in bytes.
type field struct {
	kind    fieldKind
	off     uint32
	content uint32 // for a root: the struct that it holds
	points  uint32 // for a kernel pointer that needs a destructor: the struct that it points to
	node    []byte // for a root: the member of that struct that links it
}

// A layout is the list of special fields in a struct.
type layout struct {
	fields []field
	height int // nesting depth of structs
	room   int // how many fields may still be found
	mask   uint32
}

type fieldParser struct {
	*checker
	starts  []bool             // by id: a struct that has this type is parsed
	known   map[uint32]*layout // by struct: fields before the checks
	parsed  map[uint32]*layout // by struct: fields that passed the checks
	tags    map[place]uint32   // contains: tags
	structs map[string]uint32  // first id of each name; built on first use
}

// A place is a member of a struct.
type place struct{ typ, member uint32 }

// fields checks every struct.
func (c *checker) fields() *Refusal {
	p := &fieldParser{checker: c, known: map[uint32]*layout{}, parsed: map[uint32]*layout{}}
	if !p.findStarts() {
		return nil
	}
	var worth []uint32
	var r record
	for i := range c.recs {
		id := c.firstID + uint32(i)
		r = c.rec(id)
		if r.kind != btf.KindStruct || !p.worth(&r) {
			continue
		}
		worth = append(worth, id)
		if phrase := p.parse(&r); phrase != "" {
			return c.refuse(fault{rec: &r, phrase: phrase, line: lastLine})
		}
	}
	for _, id := range worth {
		if phrase := p.owns(id); phrase != "" {
			r = c.rec(id)
			return c.refuse(fault{rec: &r, phrase: phrase, line: lastLine})
		}
	}
	return nil
}

// findStarts marks the first struct of each special name, and all kernel pointers. It reports whether there are any.
func (p *fieldParser) findStarts() bool {
	p.starts = make([]bool, int(p.firstID)+len(p.recs))
	some := false
	var found [len(specials)]bool
	for i := range p.recs {
		id := p.firstID + uint32(i)
		switch r := p.rec(id); r.kind {
		case btf.KindStruct:
			if k := p.special(&r); k != noField && specials[k].starts && !found[k] {
				found[k], some = true, true
				p.starts[id] = true
			}
		case btf.KindPtr, btf.KindVolatile:
			if r = p.behindVolatile(r); p.tagged(&r).isKptr {
				some = true
				p.starts[id] = true
			}
		}
	}
	return some
}

func (p *fieldParser) worth(r *record) bool {
	for i := range r.vlen {
		if p.starts[p.child(r, i).b] {
			return true
		}
	}
	return false
}

// special returns the kind of field for a type of this name. The kernel compares the name first and the size of the struct later. That
// order matters for kinds that may occur only once.
func (p *fieldParser) special(r *record) fieldKind {
	n, at := p.strings(r.name)
	if !bytes.HasPrefix(n.strs[at:], []byte("bpf_")) {
		return noField
	}
	name := p.text(r.name)
	for k := range specials {
		if specials[k].name == name && (fieldKind(k) != resLock || p.gen.resLock) {
			return fieldKind(k)
		}
	}
	return noField
}

// A pointerTag is the meaning of the type tag of a pointer.
type pointerTag struct {
	counts bool   // the tag has a meaning here
	isKptr bool   // a kernel pointer to a struct
	points uint32 // that struct, if a destructor is needed
}

// tagged reads the type tag of a pointer.
func (p *fieldParser) tagged(r *record) pointerTag {
	if r.kind != btf.KindPtr || p.kindOf(r.third) != btf.KindTypeTag {
		return pointerTag{}
	}
	tag := p.rec(r.third)
	if tag.kflag {
		return pointerTag{}
	}
	text := p.text(tag.name)
	to := p.rec(tag.third)
	if to.kind != btf.KindTypeTag && text == otherTag {
		return pointerTag{}
	}
	out := pointerTag{counts: true}
	if to.kind == btf.KindTypeTag || !slices.Contains(kptrTags, text) {
		return out
	}
	for range maxChain {
		if !btf.Modifiers.Has(to.kind) {
			break
		}
		to = p.rec(to.third)
	}
	if out.isKptr = to.kind == btf.KindStruct; out.isKptr && text == ownedTag {
		out.points = to.id
	}
	return out
}

// behindVolatile returns the type inside a volatile if that is a pointer, and otherwise the type itself.
func (p *fieldParser) behindVolatile(r record) record {
	if r.kind == btf.KindVolatile && p.kindOf(r.third) == btf.KindPtr {
		return p.rec(r.third)
	}
	return r
}

// wantsDestructor reports whether a struct is one of the kernel that has no destructor.
func (p *fieldParser) wantsDestructor(id uint32) bool {
	r := p.rec(id)
	return p.special(&r) != noField || slices.Contains(othersOfKernel, p.text(r.name))
}

// look finds the fields of a struct and of the structs inside it. Errors end the check, so nothing is kept for them.
func (p *fieldParser) look(r *record, level, room int) (*layout, string) {
	if known := p.known[r.id]; known != nil {
		if level+known.height > maxDepth {
			return nil, fieldCount
		}
		return known, ""
	}
	out := &layout{height: 1, room: room}
	var seen uint32
	for i := range r.vlen {
		m := memberOf(r, p.child(r, i))
		if m.off%8 != 0 {
			return nil, fieldBits
		}
		if phrase := p.lookAt(out, r.id, i, m, level, &seen); phrase != "" {
			return nil, phrase
		}
	}
	p.known[r.id] = out
	return out, ""
}

// lookAt adds the fields that one member holds.
func (p *fieldParser) lookAt(out *layout, owner, i uint32, m member, level int, seen *uint32) string {
	n := uint32(1)
	t := p.rec(m.typ)
	for depth := 0; t.kind == btf.KindArray; depth++ {
		if depth == maxDepth-1 {
			return fieldCount
		}
		a := p.array(&t)
		n *= a.n
		t = p.rec(a.elem)
	}
	if n == 0 {
		return ""
	}
	off := m.off / 8
	k := p.special(&t)
	if t = p.behindVolatile(t); t.kind == btf.KindPtr {
		k = kptr
	}
	if k == noField {
		if t.kind != btf.KindStruct {
			return ""
		}
		return p.lookInside(out, &t, off, n, level)
	}
	if specials[k].once {
		if *seen>>k&1 != 0 {
			return fieldTwice
		}
		*seen |= 1 << k
	}
	if off%specials[k].align != 0 {
		return ""
	}
	f := field{kind: k, off: off}
	if k == kptr {
		switch tag := p.tagged(&t); {
		case !tag.counts:
			return ""
		case !tag.isKptr:
			return fieldTag
		default:
			f.points = tag.points
		}
	} else if t.kind != btf.KindStruct || t.third != specials[k].size {
		return ""
	}
	if k == listHead || k == rbRoot {
		var phrase string
		if f.content, f.node, phrase = p.contains(owner, i); phrase != "" {
			return phrase
		}
	}
	return out.add([]field{f}, 0, n, specials[k].size)
}

// lookInside adds the fields of a struct held by value.
func (p *fieldParser) lookInside(out *layout, t *record, off, n uint32, level int) string {
	if level+1 >= maxDepth {
		return fieldCount
	}
	in, phrase := p.look(t, level+1, out.room-len(out.fields))
	if phrase != "" {
		return phrase
	}
	out.height = max(out.height, in.height+1)
	return out.add(in.fields, off, n, t.third)
}

// add appends fields, repeated n times if they are in an array.
func (l *layout) add(fs []field, off, n, size uint32) string {
	if len(fs) == 0 {
		return ""
	}
	if uint64(len(l.fields))+uint64(len(fs)) > uint64(l.room) {
		return fieldCount
	}
	if n > 1 {
		for _, f := range fs {
			if !specials[f.kind].repeats {
				return fieldRepeat
			}
		}
		if uint64(len(l.fields))+uint64(len(fs))*uint64(n) > uint64(l.room) {
			return fieldCount
		}
	}
	for i := range n {
		for _, f := range fs {
			f.off += off + i*size
			l.fields = append(l.fields, f)
		}
	}
	return ""
}

// parse checks how the fields of a struct go together.
func (p *fieldParser) parse(r *record) string {
	l, phrase := p.look(r, 0, maxFields)
	if phrase != "" {
		return phrase
	}
	if len(l.fields) == 0 {
		return fieldNothing
	}
	var end uint32
	for _, f := range l.fields {
		if f.off < end {
			return fieldOverlap
		}
		end = f.off + specials[f.kind].size
		l.mask |= 1 << f.kind
		if f.content != 0 {
			if phrase := p.holds(f); phrase != "" {
				return phrase
			}
		}
		if f.points != 0 && p.wantsDestructor(f.points) {
			return fieldDtor
		}
	}
	switch {
	case l.mask&(1<<spinLock) != 0 && l.mask&(1<<resLock) != 0:
		return fieldLocks
	case l.mask&(1<<listHead|1<<rbRoot) != 0 && l.mask&(1<<spinLock|1<<resLock) == 0:
		return fieldNoLock
	case l.mask&(1<<listNode) != 0 && l.mask&(1<<rbNode) != 0 && l.mask&(1<<refCount) == 0:
		return fieldNodes
	}
	p.parsed[r.id] = l
	return ""
}

// contains reads the tag "contains:STRUCT:MEMBER" of a root.
func (p *fieldParser) contains(typ, i uint32) (content uint32, node []byte, phrase string) {
	if p.tags == nil {
		p.readTags()
	}
	off, found := p.tags[place{typ, i}]
	if !found || off == 0 {
		return 0, nil, fieldContains
	}
	n, at := p.strings(off)
	value := n.strs[at:]
	value = value[len(containsPrefix):min(len(value), 2*textPiece)]
	value, _, _ = bytes.Cut(value, []byte{0})
	name, node, cut := bytes.Cut(value, []byte{':'})
	if !cut {
		return 0, nil, fieldContains
	}
	content, found = p.structs[string(name)]
	switch {
	case !found:
		return 0, nil, fieldMissing
	case len(node) == 0:
		return 0, nil, fieldContains
	}
	return content, node, ""
}

const containsPrefix = "contains:"

// readTags collects the contains: tags, and the structs that they may name. If a member has two, both are ignored.
func (p *fieldParser) readTags() {
	p.tags, p.structs = map[place]uint32{}, map[string]uint32{}
	for i := range p.recs {
		r := p.rec(p.firstID + uint32(i))
		switch r.kind {
		case btf.KindStruct:
			name := p.text(r.name)
			if _, known := p.structs[name]; !known {
				p.structs[name] = r.id
			}
		case btf.KindDeclTag:
			n, at := p.strings(r.name)
			if !bytes.HasPrefix(n.strs[at:], []byte(containsPrefix)) {
				continue
			}
			key := place{r.third, p.word(r.body())}
			if _, twice := p.tags[key]; twice {
				p.tags[key] = 0
				continue
			}
			p.tags[key] = r.name
		}
	}
}

// holds checks that the struct in a root has the node that links it.
func (p *fieldParser) holds(f field) string {
	want := listNode
	if f.kind == rbRoot {
		want = rbNode
	}
	r := p.rec(f.content)
	found := false
	for i := range r.vlen {
		m := memberOf(&r, p.child(&r, i))
		if p.text(m.name) != string(f.node) {
			continue
		}
		t := p.rec(m.typ)
		if found || t.kind != btf.KindStruct || p.special(&t) != want || m.off%(8*specials[want].align) != 0 {
			return fieldContains
		}
		found = true
	}
	if !found {
		return fieldMissing
	}
	return ""
}

// owns checks that a struct which others can hold holds only structs that hold nothing.
func (p *fieldParser) owns(id uint32) string {
	const roots, nodes = 1<<listHead | 1<<rbRoot, 1<<listNode | 1<<rbNode
	l := p.parsed[id]
	for _, f := range l.fields {
		if f.content == 0 {
			continue
		}
		in := p.parsed[f.content]
		switch {
		case in == nil:
			return fieldNothing
		case l.mask&nodes != 0 && in.mask&roots != 0:
			return fieldCycle
		}
	}
	return ""
}
