// Package measure measures BTF: how many bytes each kind of type takes, and where the variables of a section are.
//
// Input: a BTF object (btf.Object), a section of the image with the symbols that have no VAR, and the comparison with a golden. Output:
// plain data for reports. Never: the package does not read files, does not compare, and draws nothing.
package measure

import "github.com/btfbatch/btfbatch/encoder/btf"

// Sizes are the bytes of BTF by kind and by part. The parts add up to the size of the BTF.
type Sizes struct {
	Kinds []KindSize `json:"kinds"` // that occur, in the order of their numbers

	Types     int `json:"type_bytes"`     // of all kinds that are in no other part
	Functions int `json:"function_bytes"` // of FUNC and FUNC_PROTO
	Variables int `json:"variable_bytes"` // of VAR and DATASEC
	Strings   int `json:"string_bytes"`
	Other     int `json:"other_bytes"` // the header, and a layout section or padding if there is one
}

// A KindSize is what the types of one kind take.
type KindSize struct {
	Kind  string `json:"kind"` // such as STRUCT
	Count int    `json:"count"`
	Bytes int    `json:"bytes"` // without names
}

// Of returns the sizes of the own types and strings of an object, whose BTF has so many bytes.
func Of(o *btf.Object, bytes int) *Sizes {
	var kinds [btf.NumKinds]KindSize
	for _, r := range o.All() {
		k := &kinds[r.Kind()]
		k.Count++
		k.Bytes += 4 * len(r)
	}
	s := &Sizes{Strings: len(o.Strings.Bytes())}
	for k := range btf.NumKinds {
		x := kinds[k]
		if x.Count == 0 {
			continue
		}
		x.Kind = k.String()
		s.Kinds = append(s.Kinds, x)
		switch k {
		case btf.KindFunc, btf.KindFuncProto:
			s.Functions += x.Bytes
		case btf.KindVar, btf.KindDatasec:
			s.Variables += x.Bytes
		default:
			s.Types += x.Bytes
		}
	}
	s.Other = bytes - s.Types - s.Functions - s.Variables - s.Strings
	return s
}
