package implicit

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Suffix follows the name of a kfunc in the name of the FUNC with the whole prototype.
const Suffix = "_impl"

// Tag is the declaration tag that marks a FUNC as a kfunc.
const Tag = "bpf_kfunc"

// IsStruct reports whether name is that of a struct to which implicit parameters point.
func IsStruct(name string) bool { return name == "bpf_prog_aux" || name == "btf_struct_meta" }

// IsArgument reports whether a parameter of type id is implicit: a pointer to struct bpf_prog_aux or struct btf_struct_meta, with
// qualifiers and type tags at either level, but without typedefs.
func IsArgument(o *btf.Object, id btf.ID) bool {
	r, ok := unqualified(o, id)
	if !ok || r.Kind() != btf.KindPtr {
		return false
	}
	if r, ok = unqualified(o, r.Type()); !ok || r.Kind() != btf.KindStruct {
		return false
	}
	name, _ := o.Strings.Get(r.Name())
	return IsStruct(string(name))
}

// unqualified skips qualifiers and type tags. ok is false if they form a cycle.
func unqualified(o *btf.Object, id btf.ID) (r btf.Record, ok bool) {
	for range maxQualifiers {
		if r, ok = o.Record(id); !ok {
			return nil, false
		}
		if !Decorations.Has(r.Kind()) {
			return r, true
		}
		id = r.Type()
	}
	return nil, false
}

// Decorations are the kinds that the kernel's build tool skips on the way from a parameter to the pointer, and from that to the struct.
const Decorations = btf.Qualifiers | 1<<btf.KindTypeTag

// maxQualifiers is the maximum length of a chain of qualifiers and type tags. Kernels allow chains of 32 references.
const maxQualifiers = 64

// Split rewrites every FUNC of o that has the tag bpf_kfunc and a flagged name (rule 05/12). It returns their number.
//
// The FUNC of a kfunc gets a new prototype that ends before its first implicit parameter. If o has no FUNC NAME_impl, one is added with the old
// prototype, the linkage and the other declaration tags of the kfunc. A tag of a parameter that the new prototype lacks moves to NAME_impl,
// because kernels refuse tags of parameters that do not exist. kfuncs are rewritten in the order of their tags bpf_kfunc.
func Split(o *btf.Object, flagged func(name []byte) bool) int {
	s := splitter{o: o, byName: map[string]btf.ID{}, tags: map[btf.ID][]btf.ID{}}
	var kfuncs []btf.ID
	for id, r := range o.All() {
		switch r.Kind() {
		case btf.KindFunc:
			name, _ := o.Strings.Get(r.Name())
			if _, ok := s.byName[string(name)]; !ok {
				s.byName[string(name)] = id
			}
		case btf.KindDeclTag:
			of, ok := o.Record(r.Type())
			if !ok || !o.Own(r.Type()) || of.Kind() != btf.KindFunc {
				continue
			}
			if text, _ := o.Strings.Get(r.Name()); string(text) != Tag {
				s.tags[r.Type()] = append(s.tags[r.Type()], id)
			} else if name, _ := o.Strings.Get(of.Name()); flagged(name) {
				kfuncs = append(kfuncs, r.Type())
			}
		}
	}
	for _, id := range kfuncs {
		s.split(id)
	}
	return len(kfuncs)
}

// A splitter has the functions of an object by name, and their declaration tags other than bpf_kfunc.
type splitter struct {
	o      *btf.Object
	byName map[string]btf.ID
	tags   map[btf.ID][]btf.ID
}

// split rewrites one kfunc.
func (s *splitter) split(id btf.ID) {
	o := s.o
	fn := o.At(id)
	whole := fn.Type()
	proto, ok := o.Record(whole)
	if !ok || proto.Kind() != btf.KindFuncProto {
		return
	}
	n := explicit(o, proto)
	name, _ := o.Strings.Get(fn.Name())
	full := string(name) + Suffix
	impl, exists := s.byName[full]
	if !exists {
		impl = o.Append(o.Strings.Add([]byte(full)), fn[1], uint32(whole))
		s.byName[full] = impl
	}
	for _, tag := range s.tags[id] {
		r := o.At(tag)
		switch component := int32(r[3]); {
		case component >= int32(n) && s.hasParameter(impl, component):
			o.At(tag)[2] = uint32(impl)
		case !exists:
			o.Append(r[0], r[1], uint32(impl), r[3])
		}
	}
	short := s.prototype(whole, n) // moves the records in memory
	o.At(id)[2] = uint32(short)
}

// hasParameter reports whether a FUNC has the parameter with index component.
func (s *splitter) hasParameter(id btf.ID, component int32) bool {
	proto, ok := s.o.Record(s.o.At(id).Type())
	return ok && proto.Kind() == btf.KindFuncProto && component < int32(proto.Vlen())
}

// explicit returns the number of parameters of a prototype before the first implicit one.
func explicit(o *btf.Object, proto btf.Record) int {
	for i := range proto.Vlen() {
		if IsArgument(o, btf.ID(proto.Elem(i)[1])) {
			return i
		}
	}
	return proto.Vlen()
}

// prototype appends a copy of a prototype with only its first n parameters.
func (s *splitter) prototype(of btf.ID, n int) btf.ID {
	r, _ := s.o.Record(of)
	words := append([]uint32{0, btf.Info(btf.KindFuncProto, uint32(n), false), r[2]}, r[3:3+2*n]...)
	return s.o.Append(words...)
}
