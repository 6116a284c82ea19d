package dedup

import (
	"errors"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// ErrMixed says that types of two languages merge in a way that depends on types that the fast path has left out.
var ErrMixed = errors.New("types of the two languages depend on each other")

// Foreign is what the engine must know about an object with units in two languages (languages.go).
type Foreign struct {
	Bindings []Binding // by unit
	Same     []Same
	Spans    []Span          // the types of units in Rust, ascending
	guarded  map[uint32]bool // see binder
}

// A Binding says that a comparison of two types of a unit, which the object lacks, binds a declaration to a definition. At is the id of the first
// type after those of the unit.
type Binding struct {
	Unit         int
	Fwd, Def, At btf.ID
}

// A Same is a struct, union or typedef that is the same as an earlier one, in the other language or also in Rust.
type Same struct{ Later, First btf.ID }

// A Span is the ids from First to Last.
type Span struct{ First, Last btf.ID }

// Renumber replaces all ids except those of Binding.At.
func (f *Foreign) Renumber(move func(btf.ID) btf.ID) {
	for i := range f.Bindings {
		b := &f.Bindings[i]
		b.Fwd, b.Def = move(b.Fwd), move(b.Def)
	}
	for i := range f.Same {
		s := &f.Same[i]
		s.Later, s.First = move(s.Later), move(s.First)
	}
	for i := range f.Spans {
		s := &f.Spans[i]
		s.First, s.Last = move(s.First), move(s.Last)
	}
}

// binder is the engine's view of a Foreign.
type binder struct {
	bindings []Binding // those that are left
	bindAt   uint32    // where the next of them is due
	spans    []Span
	guarded  map[uint32]bool // by name: C and Rust define it differently, and a unit in C declares it
	mixed    bool            // see ErrMixed
}

// keepApart prepares for an object with units in two languages. f is nil if it has none.
func (e *engine) keepApart(f *Foreign) {
	e.bindAt = unset
	if f == nil {
		return
	}
	e.bindings, e.spans, e.guarded = f.Bindings, f.Spans, f.guarded
	for _, s := range f.Same {
		e.m[s.Later] = uint32(s.First)
	}
	e.due()
}

func (e *engine) due() {
	e.bindAt = unset
	if len(e.bindings) != 0 {
		e.bindAt = uint32(e.bindings[0].At)
	}
}

// bindDeclarations binds the declarations that are due before a type is compared.
func (e *engine) bindDeclarations(id uint32) {
	for ; id >= e.bindAt; e.due() {
		b := e.bindings[0]
		e.bindings = e.bindings[1:]
		if fwd := e.canon(uint32(b.Fwd)); e.kind(fwd) == btf.KindFwd {
			e.bind(fwd, e.canon(uint32(b.Def)))
		}
	}
}

// crosses watches for a declaration in C that is bound to a definition in Rust.
func (e *engine) crosses(fwd, to uint32) {
	if len(e.spans) == 0 || !e.guarded[e.rec(fwd)[0]] {
		return
	}
	for _, s := range e.spans {
		e.mixed = e.mixed || uint32(s.First) <= to && to <= uint32(s.Last)
	}
}

// halves watches for a declaration and a definition of one name that differ as copies of one unit. The declaration can belong to the first type of a class,
// which takes the place of a type of this unit with the definition.
func (e *engine) halves(a, b btf.Record) {
	if len(e.spans) != 0 && a[0] == b[0] && (a.Kind() == btf.KindFwd) != (b.Kind() == btf.KindFwd) {
		e.mixed = e.mixed || e.guarded[a[0]]
	}
}
