package btf

import "fmt"

// CheckReferences reports whether a reader like libbpf would take the object (rule 04/A.7): every type id has a
// type, every name offset lies in the strings, and every FUNC refers to a FUNC_PROTO. Parse leaves this out, so that
// broken BTF can be looked at too. Types of the base are taken to be checked.
func (o *Object) CheckReferences() error {
	for i := range o.Len() {
		if err := o.checkRecord(i); err != nil {
			return err
		}
	}
	return nil
}

// CheckRecord is CheckReferences for one of the object's own types. The types that it refers to are not checked.
func (o *Object) CheckRecord(id ID) error { return o.checkRecord(int(id - o.First())) }

// checkRecord checks the i-th type of the table.
func (o *Object) checkRecord(i int) error {
	endID, endName := uint32(o.End()), o.Strings.End()
	r := o.at(o.First() + ID(i))
	k := r.Kind()
	s := ShapeOf(k)
	if r[0] >= endName {
		return o.referenceError(i, "has its name at %#x of %#x bytes of strings", r[0], endName)
	}
	if s.Refers && r[2] >= endID {
		return o.referenceError(i, "refers to type %d of %d", r[2], endID)
	}
	switch k {
	case KindArray:
		if id := max(r[recordWords], r[recordWords+1]); id >= endID {
			return o.referenceError(i, "refers to type %d of %d", id, endID)
		}
		return nil
	case KindFunc:
		if !o.isProto(ID(r[2])) {
			return o.referenceError(i, "refers to type %d, which is not a FUNC_PROTO", r[2])
		}
		return nil
	}
	if s.Each == 0 {
		return nil
	}
	for n, e := r.Vlen(), r[recordWords+int(s.Once):]; n > 0; n, e = n-1, e[s.Each:] {
		if s.NameAt >= 0 && e[s.NameAt] >= endName {
			return o.referenceError(i, "has an element whose name is at %#x of %#x bytes of strings", e[s.NameAt], endName)
		}
		if s.TypeAt >= 0 && e[s.TypeAt] >= endID {
			return o.referenceError(i, "has an element that refers to type %d of %d", e[s.TypeAt], endID)
		}
	}
	return nil
}

// isProto reports whether there is a type, of the object or its bases, that is a FUNC_PROTO.
func (o *Object) isProto(id ID) bool {
	for ; o != nil; o = o.Base {
		if o.Own(id) {
			return o.at(id).Kind() == KindFuncProto
		}
	}
	return false
}

// referenceError is about the i-th type of the table.
func (o *Object) referenceError(i int, format string, args ...any) error {
	id := o.First() + ID(i)
	return fmt.Errorf("type %d (%s) %s", id, o.at(id).Kind(), fmt.Sprintf(format, args...))
}
