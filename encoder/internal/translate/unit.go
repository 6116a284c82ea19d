// Package translate turns the DIEs of one CU into types with local ids, and into candidates for functions and variables.
//
// Input: an opened CU. Output: a Unit, which is a flat table of BTF records whose names are string keys and whose references are local
// ids, and flat lists of functions, parameters, variables and declaration tags. Never: the package does not read another CU, does not
// decide what becomes a FUNC or a VAR, and does not merge types.
package translate

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// IndexPending takes the place of an array's index type. That type is the same for the whole image, and a CU does not know it
// (rule 01/6.5).
const IndexPending = 0xffffffff

// NotIndexed is the result of Options.FuncLookup for a key that is not indexed.
const NotIndexed = -2

// AtOnce is the number of names of functions that are looked up together: few enough that what is prefetched for them stays in the cache.
const AtOnce = 64

// A LocalID is the number of a type within one CU: 1 and up, by its place in Unit.Types; 0 is void.
type LocalID = nominal.LocalID

// Options say what to translate.
type Options struct {
	Features  feature.Set
	Classes   bool         // compute classes of types
	EagerRefs bool         // no reference may be lazy
	Stop      func() error // called from time to time, unless it is nil; an error ends the translation of the unit
	Peer      rules.Set    // the rules of pahole that are in force
	// PlainFields makes plain members of bit fields that fill an aligned storage unit.
	PlainFields bool
	// FuncIndex sets the numbers of the ELF functions of some names: -1 if there is none. There are at most AtOnce names. Its result has no
	// meaning (see btf/memory.go).
	FuncIndex func(names [][]byte, numbers []int32) uint64
	// FuncLookup is the same for the keys of strings. It sets NotIndexed for keys that are not indexed. It may be nil.
	FuncLookup func(s *dwarf.Strings, keys []dwarf.StrKey, numbers []int32) uint64
	// Wanted reports whether a variable at this address can become a VAR.
	Wanted func(addr uint64) bool
}

// A Func is one DW_TAG_subprogram.
type Func struct {
	Off      dwarf.Offset // of its DIE
	Type     LocalID      // return type
	Origin   int32        // index of the abstract origin in Funcs, -1 without one
	First, N uint32       // its direct parameters in Params
	Elf      int32        // the result of Options.FuncIndex for its name
	Addr     uint64       // DW_AT_low_pc, 0 if absent
	Name     dwarf.StrKey
	CallConv uint8
	Decl     bool // has DW_AT_declaration
	Inline   bool // DW_AT_inline is not zero
	Variadic bool
}

// A Param is one DW_TAG_formal_parameter of a subprogram.
type Param struct {
	Off     dwarf.Offset
	Type    LocalID
	HasType bool   // has its own DW_AT_type
	HasName bool   // has its own DW_AT_name
	Index   uint16 // among the parameters of the same DIE
	Origin  int32  // index of the abstract origin in Params; -1 none, -2 not found
	Name    dwarf.StrKey
	Loc     dwarf.Location
}

// A Var is a variable with a fixed address in a wanted section.
type Var struct {
	Off      dwarf.Offset
	Name     dwarf.StrKey
	Type     LocalID
	External bool
	Addr     uint64
	Size     uint64 // in bytes, by its type (rule 01/10.2)

	Inner      bool // declared below unit level
	Artificial bool
}

// A DeclTag is one btf_decl_tag. Owner is a local id in TypeTags, and the offset of the DIE in the lists of functions and
// variables.
type DeclTag struct {
	Owner     uint32
	Component int32 // -1 is the owner itself
	Value     dwarf.StrKey
}

// An oddSize is the size of a type that Size cannot tell from its record. Hardly any unit has such types.
type oddSize struct {
	id   LocalID
	size uint32
}

// A Unit is the translation of one CU. It is reused: the next CU overwrites it.
type Unit struct {
	Types    btf.Table       // names are string keys; references local ids; array index types IndexPending
	Dies     []nominal.Entry // by local id; void is at 0; the classes only with Options.Classes
	Endless  bool            // with Options.Classes: the CU has a cycle without a name, and its types have no classes
	LazyRefs bool            // members and parameters refer to offsets of DIEs until ResolveRefs
	Named    []LocalID       // named structs, unions and enums, declarations included
	Int      LocalID         // the first base type named "int", 0 if there is none
	Arrays   bool            // the CU has an array
	Vars     []Var
	TypeTags []DeclTag // of structs, unions and typedefs, by ascending owner
	VarTags  []DeclTag // by ascending owner
	Notes    []Note    // in the order in which they were made

	Place    dwarf.Place
	Name     dwarf.StrKey // of the CU
	Merged   bool         // it is several units, translated as one
	Rust     bool         // it is written in Rust
	AddrSize uint8
	Strings  *dwarf.Strings

	oddSizes []oddSize
}

// Subprograms are what one CU says about functions.
type Subprograms struct {
	Funcs  []Func // in the order in which their DIEs end
	Params []Param
	Tags   []DeclTag // by ascending owner
}

// A Translator belongs to one worker. It holds the scratch memory that is reused for each CU.
type Translator struct{ w walker }

// Size returns the DW_AT_byte_size of a type's DIE, 0 if it is absent. A pointer has the size of an address.
func (t *Unit) Size(id LocalID) uint32 {
	for _, odd := range t.oddSizes {
		if odd.id == id {
			return odd.size
		}
	}
	r := t.Types.At(btf.ID(id))
	switch r.Kind() {
	case btf.KindPtr:
		return uint32(t.AddrSize)
	case btf.KindInt, btf.KindFloat, btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64:
		return r.Size()
	}
	return 0
}

// setSize records the size of a type that was just appended, unless it is the size that Size expects for such a record.
func (t *Unit) setSize(id uint32, size, expected uint64) {
	if size != expected {
		t.oddSizes = append(t.oddSizes, oddSize{LocalID(id), uint32(size)})
	}
}

// SizeOf returns the size of a type in bytes (rule 01/10.2). A pointer has the size of an address.
func (t *Unit) SizeOf(id LocalID) uint64 {
	n := uint64(1)
	for range maxChain {
		if id == 0 {
			return 0
		}
		r := t.Types.At(btf.ID(id))
		switch r.Kind() {
		case btf.KindPtr:
			return n * uint64(t.AddrSize)
		case btf.KindInt, btf.KindFloat:
			return n * uint64(uint16(t.Size(id)*8)/8)
		case btf.KindEnum, btf.KindEnum64:
			return n * uint64(r.Size())
		case btf.KindFuncProto:
			if s := t.Size(id); s != 0 {
				return n * uint64(s)
			}
			return n * uint64(t.AddrSize)
		case btf.KindStruct, btf.KindUnion:
			if r.Size() == 1 && r.Vlen() == 0 {
				return 0
			}
			return n * uint64(r.Size())
		case btf.KindArray:
			n *= uint64(r[5])
			id = LocalID(r[3])
		default:
			if !btf.Modifiers.Has(r.Kind()) {
				return 0
			}
			id = LocalID(r[2])
		}
	}
	return 0
}

// maxChain bounds a chain of modifiers and typedefs. No source nests that deep; a cycle exceeds it.
const maxChain = 1 << 10

// signed reports whether a type is a signed integer. It does not look through typedefs.
func (t *Unit) signed(id LocalID) bool {
	if id == 0 {
		return false
	}
	r := t.Types.At(btf.ID(id))
	return r.Kind() == btf.KindInt && r[3]>>24&btf.IntSigned != 0
}

func (t *Unit) reset(u *dwarf.Unit, s *dwarf.Strings) {
	if t.Types.Reset(); t.Dies == nil {
		t.makeRoom()
	}
	t.Dies, t.Named, t.oddSizes = append(t.Dies[:0], nominal.Entry{A: nominal.Void.A, B: nominal.Void.B}), t.Named[:0], t.oddSizes[:0]
	t.Endless = false
	t.Int, t.Arrays, t.LazyRefs = 0, false, false
	t.Vars, t.TypeTags, t.VarTags = t.Vars[:0], t.TypeTags[:0], t.VarTags[:0]
	t.Notes = t.Notes[:0]
	t.Place, t.Name, t.Merged, t.Rust, t.AddrSize, t.Strings = u.Place(), u.Name, false, u.Lang == langRust, u.AddrSize, s
}

// makeRoom allocates as much as nine of ten CUs of a kernel need. Memory that is not touched costs nothing.
func (t *Unit) makeRoom() {
	const types, words = 4 << 10, 48 << 10
	t.Types.Grow(types, words)
	t.Dies, t.Named = make([]nominal.Entry, 0, types+1), make([]LocalID, 0, types/2)
}

// CU translates an opened unit into t and fs. Only compile and type units have types (rule 01/2.2). The error names the unit and
// the offset in its section.
func (tr *Translator) CU(u *dwarf.Unit, s *dwarf.Strings, opt *Options, t *Unit, fs *Subprograms) error {
	t.reset(u, s)
	fs.Funcs, fs.Params, fs.Tags = fs.Funcs[:0], fs.Params[:0], fs.Tags[:0]
	if u.Empty != dwarf.NotEmpty {
		t.Notes = append(t.Notes, emptyUnit(u))
		return opt.leaveOut(u)
	}
	switch u.Tag {
	case dwarf.TagCompileUnit, dwarf.TagTypeUnit:
	case dwarf.TagSkeletonUnit, dwarf.TagPartialUnit:
		return nil
	default:
		return u.Err(0, "root DIE has tag %#x, which is not the tag of a unit", uint16(u.Tag))
	}
	w := &tr.w
	for w.replacements = w.replacements[:0]; ; t.reset(u, s) {
		fs.Funcs, fs.Params, fs.Tags = fs.Funcs[:0], fs.Params[:0], fs.Tags[:0]
		w.start(u, t, fs, opt)
		w.indexUnit()
		w.root()
		w.children()
		w.confuseTypeUnits()
		if err := w.finish(); err != nil {
			return err
		}
		if again := w.replaceStrays(); !again || w.c.Err != nil {
			return w.c.Err
		}
	}
}

// Forget drops what refers to an image, and keeps memory for units of another one.
func (tr *Translator) Forget() {
	w := &tr.w
	*w = walker{
		typeIndex: typeIndex{byOff: w.byOff, prefaulted: w.prefaulted},
		fixups:    fixups{forward: w.forward[:0], later: w.later[:0], funcs: w.funcs[:0], varTypes: w.varTypes[:0]},
		elems:     w.elems[:0], params: w.params[:0], composed: w.composed[:0], unhashed: w.unhashed[:0], contents: w.contents[:0],
		run:       dwarf.Run{Words: w.run.Words[:0]},
		funcNames: funcMemo{slots: w.funcNames.slots}, // which are cleared for another image
	}
}

// Forget drops what refers to an image, and keeps memory for another unit.
func (t *Unit) Forget() {
	t.Types.Reset()
	*t = Unit{Types: t.Types, Dies: t.Dies[:0], Named: t.Named[:0], Vars: t.Vars[:0], Notes: t.Notes[:0]}
}

// finish resolves what the walk has collected.
func (w *walker) finish() error {
	if w.c.CheckRefs(); w.c.Err == nil {
		w.resolve()
	}
	if w.c.Err != nil {
		return w.c.Err
	}
	if w.opt.PlainFields {
		w.t.plainFields()
	}
	if w.classes {
		if w.classify(); w.c.Err != nil {
			return w.c.Err
		}
	}
	w.t.LazyRefs = w.lazyRefs
	byOwner(w.t.TypeTags)
	byOwner(w.t.VarTags)
	byOwner(w.fs.Tags)
	return nil
}
