package funcs

import (
	"bytes"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// Flags of a kfunc in the sets of .BTF_ids.
const (
	kfuncFastcall  = 1 << 12
	kfuncArenaRet  = 1 << 13
	kfuncArenaArg1 = 1 << 14
	kfuncArenaArg2 = 1 << 15

	kfuncImplicitArgs = 1 << 16
)

const setIsKfuncs = 1 // bit of the second word of a set8

// OpenIDs opens .BTF_ids, whose kfunc sets list the kernel functions that BPF programs may call (rule 02/5.7). Add takes the
// image's symbols; Table.MarkKfuncs takes the result. It is nil for an image without that section.
func OpenIDs(f *elf.File, opt Options) (*IDSection, error) {
	var list *IDSection
	for i := range f.Sections {
		sec := &f.Sections[i]
		if sec.Name != btf.SectionIDs || !sec.HasData() {
			continue
		}
		if err := f.Sound(sec); err != nil {
			return nil, err
		}
		data, err := f.Data(sec)
		if err != nil {
			return nil, err
		}
		s := &IDSection{f: f, section: sec.Index, data: data, addr: f.SymbolBase(sec), peer: opt.Peer, implicit: opt.ImplicitArgs}
		if !opt.lastIDs() {
			s.next = list
		}
		list = s
	}
	return list, nil
}

// Add takes a symbol. It remembers sets, and symbols that may be members.
func (s *IDSection) Add(syms *elf.Symbols, sym *elf.Symbol) {
	for s != nil && int(sym.Section) != s.section {
		s = s.next
	}
	if s == nil {
		return
	}
	name := syms.Name(sym)
	if fn, ok := kfuncName(name); ok {
		s.members = append(s.members, idMember{sym.Value, fn})
	} else if bytes.HasPrefix(name, []byte("__BTF_ID__set8__")) {
		s.checkSet(sym, name)
		if flags, ok := s.word(sym.Value + 4); ok && flags&setIsKfuncs != 0 {
			s.sets = append(s.sets, idSet{from: sym.Value, to: sym.Value + sym.Size})
		}
	}
}

// MarkKfuncs marks the members of all sets. base is the BTF that the module's own BTF continues, or nil.
func (t *Table) MarkKfuncs(ids *IDSection, base *btf.Object) {
	if ids == nil {
		return
	}
	t.kflags = make(map[int32]uint32)
	for ; ids != nil; ids = ids.next {
		t.markKfuncs(ids, base)
	}
}

func (t *Table) markKfuncs(ids *IDSection, base *btf.Object) {
	ids.resolve(base)
	for _, m := range ids.members {
		set := ids.setAt(m.addr)
		if set == nil {
			continue
		}
		if e := t.Index(m.name); e >= 0 {
			t.entries[e].flags |= kfunc
			t.kflags[e] = ids.flags(set, m.addr, m.name)
			if ids.implicit {
				t.implicit.add(ids, set, m)
			}
		}
	}
}

// ImplicitArgs are the kfuncs whose last arguments are filled in by the BPF verifier. They have the flag KF_IMPLICIT_ARGS in
// .BTF_ids. They are collected if Options.ImplicitArgs is set.
type ImplicitArgs struct {
	names   map[string]bool
	Unknown int // number of kfuncs with unknown flags: their set is sorted by ids that belong to no BTF in the image
}

// ImplicitArgs returns those of the kfuncs that MarkKfuncs found.
func (t *Table) ImplicitArgs() ImplicitArgs { return t.implicit }

// Has reports whether a kfunc has implicit arguments.
func (a *ImplicitArgs) Has(name []byte) bool { return a.names[string(name)] }

// Known returns the number of kfuncs that are known to have implicit arguments.
func (a *ImplicitArgs) Known() (n int) {
	for _, implicit := range a.names {
		if implicit {
			n++
		}
	}
	return n
}

// add adds a member of a set. If several sets have a function, the last counts.
func (a *ImplicitArgs) add(ids *IDSection, set *idSet, m idMember) {
	implicit, known := ids.implicitArgs(set, m.addr, m.name)
	if !known {
		a.Unknown++
	}
	if a.names == nil {
		a.names = make(map[string]bool)
	}
	a.names[string(m.name)] = implicit
}

// kfuncName extracts the function's name from __BTF_ID__func__NAME__SUFFIX. The last underscore must be the second of a pair.
func kfuncName(sym []byte) (name []byte, ok bool) {
	name, ok = bytes.CutPrefix(sym, []byte("__BTF_ID__func__"))
	if !ok {
		return nil, false
	}
	i := bytes.LastIndexByte(name, '_')
	if i < 1 || name[i-1] != '_' {
		return nil, false
	}
	return name[:i-1], true
}

// kfuncFlags are the flags of a function that is a kfunc.
type kfuncFlags struct {
	is    bool
	flags uint32
}

func (t *Table) kfunc(i int32) kfuncFlags {
	if t.entries[i].flags&kfunc == 0 {
		return kfuncFlags{}
	}
	return kfuncFlags{true, t.kflags[i]}
}

// maxKfuncTags is the highest number of tags that kfuncTags appends.
const maxKfuncTags = 2

// kfuncTags appends the tags of a kfunc after the function's own.
func kfuncTags(o *btf.Object, k kfuncFlags, id btf.ID, features feature.Set) {
	if !k.is || !features.Has(feature.DeclTagKfuncs) || !features.Has(feature.DeclTag) {
		return
	}
	tag := func(text string) {
		o.Append(o.Strings.Add([]byte(text)), btf.Info(btf.KindDeclTag, 0, false), uint32(id), 0xffffffff)
	}
	tag("bpf_kfunc")
	if k.flags&kfuncFastcall != 0 {
		tag("bpf_fastcall")
	}
}

// ReadsTypes reports whether Emit reads types of the object: it does if a kfunc returns or takes pointers into an arena.
func (m *Emission) ReadsTypes() bool {
	for _, flags := range m.c.table.kflags {
		if flags&(kfuncArenaRet|kfuncArenaArg1|kfuncArenaArg2) != 0 {
			return true
		}
	}
	return false
}

// arenaTypes replaces the types of a kfunc's arena pointers by pointers whose target has the TYPE_TAG address_space(1).
func arenaTypes(o *btf.Object, k kfuncFlags, name []byte, ret btf.ID, ps []param, features feature.Set) (btf.ID, []param, error) {
	const arena = kfuncArenaRet | kfuncArenaArg1 | kfuncArenaArg2
	if !k.is || k.flags&arena == 0 || !features.Has(feature.Attributes) || !features.Has(feature.DeclTagKfuncs) {
		return ret, ps, nil
	}
	wrap := func(id btf.ID) (btf.ID, error) {
		r, ok := o.Record(id)
		if !ok || r.Kind() != btf.KindPtr {
			return 0, fmt.Errorf("arena pointer of kfunc %s is a %s, not a pointer", name, r.Kind())
		}
		target := r[2]
		tag := o.Append(o.Strings.Add([]byte("address_space(1)")), btf.Info(btf.KindTypeTag, 0, true), target)
		return o.Append(0, btf.Info(btf.KindPtr, 0, false), uint32(tag)), nil
	}
	var err error
	if k.flags&kfuncArenaRet != 0 {
		if ret, err = wrap(ret); err != nil {
			return 0, nil, err
		}
	}
	ps = append([]param(nil), ps...)
	for i, flag := range []uint32{kfuncArenaArg1, kfuncArenaArg2} {
		if k.flags&flag == 0 {
			continue
		}
		if i >= len(ps) {
			return 0, nil, fmt.Errorf("kfunc %s has no argument %d for its arena pointer", name, i+1)
		}
		if ps[i].typ, err = wrap(ps[i].typ); err != nil {
			return 0, nil, err
		}
	}
	return ret, ps, nil
}
