package translate

import (
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// variable keeps a variable that has a fixed address in a wanted section (rules 01/6.9 and 02/6.1). inner says that it is not a
// direct child of the unit.
func (w *walker) variable(a *dwarf.Abbrev, inner bool) int {
	c, pos := &w.c, w.c.Pos
	if !c.Present(dwarf.SlotExpr) || c.Present(dwarf.SlotDecl) {
		return c.Skip(a)
	}
	addr, ok, problem := w.u.Address(c.Val[dwarf.SlotExpr])
	if problem != "" {
		c.Fail(pos, "%s", problem)
	}
	if !ok || !w.opt.Wanted(addr) {
		return c.Skip(a)
	}
	v := Var{Off: dwarf.Offset(pos), Name: c.Name(), External: c.Present(dwarf.SlotExternal), Addr: addr,
		Inner: inner, Artificial: c.Present(dwarf.SlotArtificial)}
	typ, spec, annot, next := w.ref(dwarf.SlotType), w.ref(dwarf.SlotSpec), w.ref(dwarf.SlotAnnot), c.Next
	tag := func(value dwarf.StrKey) { w.t.VarTags = append(w.t.VarTags, DeclTag{uint32(pos), -1, value}) }
	declared := w.declares(spec, func(children bool) {
		// Name, type, linkage and tags come from the declaration, the address from the definition (rule 01/8.3).
		v.Name, v.External, typ = c.Name(), c.Present(dwarf.SlotExternal), w.completed(typ, w.ref(dwarf.SlotType))
		if annot == 0 { // otherwise its chain also has those of the declaration
			annot = w.ref(dwarf.SlotAnnot)
		}
		if w.declTags && children {
			w.annotations(c.Next, tag)
		}
	})
	if declared {
		next = c.Skip(a)
	} else if a.Children {
		next = w.annotations(next, tag)
	}
	w.unseenChain(annot, tag)
	w.t.Vars = append(w.t.Vars, v)
	w.varTypes = append(w.varTypes, typ)
	return next
}

// declares calls read with the cursor on the DIE that a specification names, if that DIE declares a variable.
func (w *walker) declares(spec dwarf.Offset, read func(children bool)) bool {
	if spec == 0 {
		return false
	}
	if w.mustBe(spec); w.c.Err != nil {
		return false
	}
	defer w.visit(spec)()
	a := w.c.Read(int(spec))
	if a == nil || a.Tag != dwarf.TagVariable && a.Tag != dwarf.TagMember {
		return false
	}
	read(a.Children)
	return true
}

func (w *walker) resolveVars() {
	for i := range w.t.Vars {
		v := &w.t.Vars[i]
		v.Type = w.local(w.varTypes[i])
		v.Size = w.t.SizeOf(v.Type)
	}
}
