package verify

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/implicit"
)

// implicitArguments finds kfuncs whose prototype has a parameter that the BPF verifier fills in. From 7.0 on, the kernel's own build
// removes such parameters. A program compiled with the whole prototype passes one argument too many, and does not load.
func (l *linter) implicitArguments() {
	for i := range l.recs {
		tag := l.rec(l.firstID + uint32(i))
		if tag.kind != btf.KindDeclTag || l.word(tag.body()) != noComponent || l.text(tag.name) != implicit.Tag {
			continue
		}
		_, fn := l.find(tag.third)
		if fn.kind != btf.KindFunc {
			continue
		}
		c, proto := l.find(fn.third)
		if proto.kind != btf.KindFuncProto {
			continue
		}
		for i := range proto.vlen {
			p := c.child(&proto, i)
			if name := l.implicitTarget(p.b); name != "" {
				l.warn(RuleImplicit, &fn, "parameter %d, %s, is a pointer to struct %s, which the BPF verifier fills in: programs that pass it do not load; "+
					"encode with kernel: true (--like-kernel), which does what the kernel's own build does", i+1, quoted(c.text(p.a)), name)
				break
			}
		}
	}
}

// noComponent is the component index of a tag for the whole declaration.
const noComponent = 0xffffffff

// implicitTarget returns the name of the struct that an implicit parameter's type points to, and "" for other types. Like the kernel's
// build it skips qualifiers and type tags at both levels.
func (l *linter) implicitTarget(id uint32) string {
	_, ptr := l.unqualified(id)
	if ptr.kind != btf.KindPtr {
		return ""
	}
	c, target := l.unqualified(ptr.third)
	if target.kind != btf.KindStruct {
		return ""
	}
	if name := c.text(target.name); implicit.IsStruct(name) {
		return name
	}
	return ""
}

// unqualified returns the type inside qualifiers and type tags, with the checker of the blob that defines it. It is void if there is none.
func (l *linter) unqualified(id uint32) (*checker, record) {
	for range maxTypes {
		c, r := l.find(id)
		if !implicit.Decorations.Has(r.kind) {
			return c, r
		}
		id = r.third
	}
	return l.checker, record{}
}

// find returns a type of the blob or its base, or void if the id does not exist.
func (l *linter) find(id uint32) (*checker, record) {
	c := l.checker
	for c.under != nil && id < c.firstID {
		c = c.under
	}
	if id < c.firstID || !c.exists(id) {
		return c, record{}
	}
	return c, c.rec(id)
}
