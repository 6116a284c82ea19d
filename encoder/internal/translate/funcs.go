package translate

import (
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// NotFound is the Origin of a DIE that names an abstract origin that does not exist.
const NotFound = -2

// subprogram handles a function, except for the contents of its blocks (rules 01/5.2 and 01/6.8). Functions nest, so parameters
// are collected on a stack; when the function's DIE is complete, its parameters become consecutive entries of Params.
func (w *walker) subprogram(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	next := c.Next
	f := Func{Off: dwarf.Offset(pos), Origin: -1, Elf: -1, Name: c.Name(), CallConv: uint8(c.Value(dwarf.SlotCallConv)),
		Decl: c.Present(dwarf.SlotDecl), Inline: c.Value(dwarf.SlotInline)&3 != 0}
	f.Addr, _ = c.LowPC()
	p := pendingFunc{typ: w.ref(dwarf.SlotType), hasOrigin: c.Present(dwarf.SlotOrigin), hasSpec: c.Present(dwarf.SlotSpec),
		origin: w.ref(dwarf.SlotOrigin), spec: w.ref(dwarf.SlotSpec)}
	annot := w.ref(dwarf.SlotAnnot)
	base := len(w.params)
	if a.Children && w.enter() {
		next = w.body(next, pos, &f.Variadic, true)
		w.depth--
	}
	if w.declTags && annot != 0 {
		w.gnuChain(annot, func(value dwarf.StrKey) { w.funcTag(pos, -1, value) })
	}
	f.First, f.N = uint32(len(w.fs.Params)), uint32(len(w.params)-base)
	w.fs.Params = append(w.fs.Params, w.params[base:]...)
	w.params = w.params[:base]
	w.fs.Funcs = append(w.fs.Funcs, f)
	w.funcs = append(w.funcs, p)
	return next
}

func (w *walker) funcTag(owner int, component int32, value dwarf.StrKey) {
	w.fs.Tags = append(w.fs.Tags, DeclTag{uint32(owner), component, value})
}

// body walks the children of a subprogram (direct is true) or of a lexical block in one.
func (w *walker) body(pos, owner int, variadic *bool, direct bool) int {
	c := &w.c
	index := uint16(0)
	for {
		a := c.Read(pos)
		if a == nil {
			return c.Next
		}
		switch a.Tag {
		case dwarf.TagFormalParameter:
			pos = w.parameter(a, owner, index, direct)
			index++
		case dwarf.TagInlinedSubroutine, dwarf.TagCallSite, dwarf.TagGNUCallSite, dwarf.TagCallSiteParameter,
			dwarf.TagGNUCallSiteParam, dwarf.TagLabel, dwarf.TagDwarfProcedure, dwarf.TagTemplateTypeParam, dwarf.TagTemplateValueParam:
			// Types that are declared in an inline expansion get no id (rule 01/5.2); pahole 1.31 gave them one.
			pos = c.Skip(a)
		case dwarf.TagLexicalBlock:
			pos = c.Next
			if a.Children && w.enter() {
				pos = w.body(pos, owner, variadic, false)
				w.depth--
			}
		case dwarf.TagUnspecifiedParams:
			if direct {
				*variadic = true
			}
			pos = c.Skip(a)
		case dwarf.TagLLVMAnnotation, dwarf.TagGNUAnnotation:
			if value, ok := w.declTag(); ok && w.declTags && direct {
				w.funcTag(owner, -1, value)
			}
			pos = c.Skip(a)
		default:
			pos = w.generic(a)
		}
	}
}

// parameter is rule 01/6.8. A parameter in a block is in no function's list, but it can be an abstract origin.
func (w *walker) parameter(a *dwarf.Abbrev, owner int, index uint16, direct bool) int {
	c := &w.c
	p := Param{Off: dwarf.Offset(c.Pos), Type: LocalID(w.ref(dwarf.SlotType)), HasType: c.Present(dwarf.SlotType), Index: index, Origin: -1, Name: w.name()}
	p.HasName = p.Name != 0
	if c.Present(dwarf.SlotOrigin) {
		// An offset until resolveParams, like Type.
		p.Origin = NotFound
		if off := w.ref(dwarf.SlotOrigin); off != 0 {
			p.Origin = int32(off)
		}
	}
	if direct {
		p.Loc = c.Location()
		w.params = append(w.params, p)
	} else {
		w.fs.Params = append(w.fs.Params, p)
	}
	if direct && w.declTags && (a.Children || c.Present(dwarf.SlotAnnot)) {
		return w.taggedParam(a, owner, int32(index))
	}
	return c.Skip(a)
}

// resolveFuncs follows specifications and abstract origins (rules 01/8.3 and 01/8.4), in table order.
func (w *walker) resolveFuncs() {
	t := w.fs
	w.index.reset()
	w.pIndex.reset()
	for i := range t.Funcs {
		f, p := &t.Funcs[i], &w.funcs[i]
		f.Type = w.local(p.typ)
		if p.hasOrigin {
			f.Origin = NotFound
			if j, ok := w.index.find(p.origin, len(t.Funcs), func(i int) dwarf.Offset { return t.Funcs[i].Off }); ok {
				f.Origin = int32(j)
			} else {
				w.mustBe(p.origin)
			}
		}
		if f.Name == 0 {
			f.Name = w.originName(f, p)
		}
	}
	w.resolveParams()
	if (w.unsized || w.strays.offs != nil) && !w.opt.keepsUnsized() {
		w.replaceUnsizedParams()
	}
	for i := range t.Funcs {
		f := &t.Funcs[i]
		if w.funcs[i].hasOrigin && f.Type == 0 {
			if f.Origin < 0 {
				w.c.Fail(int(f.Off), "abstract origin of the function is not in its unit")
				return
			}
			f.Type = t.Funcs[f.Origin].Type
		}
	}
	w.funcNames.number(t.Funcs, w.t.Strings, w.opt)
}

// originName returns the name of the abstract origin, or else of the specification, after one step.
func (w *walker) originName(f *Func, p *pendingFunc) dwarf.StrKey {
	if f.Origin >= 0 {
		return w.fs.Funcs[f.Origin].Name
	}
	if p.hasSpec {
		if j, ok := w.index.find(p.spec, len(w.fs.Funcs), func(i int) dwarf.Offset { return w.fs.Funcs[i].Off }); ok {
			return w.fs.Funcs[j].Name
		}
		w.mustBe(p.spec)
	}
	return 0
}

// resolveParams turns type references into local ids, and origins into indices. A parameter without a type takes name and type
// from its origin.
func (w *walker) resolveParams() {
	t := w.fs
	for i := range t.Params {
		p := &t.Params[i]
		if p.HasType {
			p.Type = w.local(dwarf.Offset(p.Type))
		}
	}
	for i := range t.Params {
		p := &t.Params[i]
		if p.Origin < 0 {
			continue
		}
		j, ok := w.pIndex.find(dwarf.Offset(p.Origin), len(t.Params), func(i int) dwarf.Offset { return t.Params[i].Off })
		if !ok {
			w.mustBe(dwarf.Offset(p.Origin))
			p.Origin = NotFound
			continue
		}
		p.Origin = int32(j)
		if !p.HasType {
			p.Name, p.Type = t.Params[j].Name, t.Params[j].Type
		}
	}
}
