package encoder

import (
	"context"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// A Share is the size of a part of the BTF.
type Share struct {
	Vars        int // VARs
	Datasecs    int
	TypeBytes   int // of VARs, their declaration tags, and DATASECs; for a whole BTF object, of all types
	StringBytes int // of strings that no earlier part uses; for a whole BTF object, of all strings
}

// Bytes returns the size of types and strings together.
func (s Share) Bytes() int { return s.TypeBytes + s.StringBytes }

// A SectionShare is the size of the variables of one section.
type SectionShare struct {
	Name string
	Share
}

// Kinds counts types by kind.
type Kinds [btf.NumKinds]int

// Costs are the sizes of the BTF of an image without variables, with per-CPU variables, and with all variables.
type Costs struct {
	None     Share          // without variables
	PerCPU   Share          // with the variables of the feature var
	All      Share          // with the variables of all sections
	Sections []SectionShare // what All has in addition to None, by section, in section order; without VARs that are in no DATASEC
	Kinds    [3]Kinds       // of None, PerCPU and All
}

// VariableCosts encodes an image three times: without variables, with the feature var, and with the features var and global_var. Types and
// functions are the same each time.
func (e *Encoder) VariableCosts(ctx context.Context, f *elf.File) (*Costs, error) {
	encode := func(with ...feature.Feature) (*btf.Object, error) {
		part := e.quiet()
		part.OnProgress = e.OnProgress
		part.Features = part.Features.Without(feature.Var, feature.GlobalVar, feature.Layout).With(with...)
		res, err := part.Encode(ctx, f)
		if err != nil {
			return nil, err
		}
		return res.Object, nil
	}
	none, err := encode()
	if err != nil {
		return nil, err
	}
	perCPU, err := encode(feature.Var)
	if err != nil {
		return nil, err
	}
	all, err := encode(feature.Var, feature.GlobalVar)
	if err != nil {
		return nil, err
	}
	return &Costs{whole(none), whole(perCPU), whole(all), sectionShares(all, none), [3]Kinds{kinds(none), kinds(perCPU), kinds(all)}}, nil
}

// whole returns the size of a whole BTF object.
func whole(o *btf.Object) Share {
	n := kinds(o)
	return Share{Vars: n[btf.KindVar], Datasecs: n[btf.KindDatasec], TypeBytes: 4 * o.WordCount(), StringBytes: len(o.Strings.Bytes())}
}

func kinds(o *btf.Object) (n Kinds) {
	for _, r := range o.All() {
		n[r.Kind()]++
	}
	return n
}

// sectionShares returns the size of the variables in each DATASEC of o. without is the BTF object without variables, whose strings do not
// count.
func sectionShares(o, without *btf.Object) []SectionShare {
	tags := make(map[btf.ID][]btf.Record) // of VARs
	for _, r := range o.All() {
		if r.Kind() == btf.KindDeclTag && o.Own(r.Type()) && o.At(r.Type()).Kind() == btf.KindVar {
			tags[r.Type()] = append(tags[r.Type()], r)
		}
	}
	without.Strings.Index()
	known := make(map[uint32]bool)
	var shares []SectionShare
	for _, r := range o.All() {
		if r.Kind() != btf.KindDatasec {
			continue
		}
		s := SectionShare{Name: o.Name(r.Name()), Share: Share{Datasecs: 1}}
		add := func(r btf.Record) {
			s.TypeBytes += 4 * len(r)
			r.StringOffsets(func(off *uint32) {
				name, _ := o.Strings.Get(*off)
				if _, old := without.Strings.Find(name); !old && !known[*off] {
					known[*off] = true
					s.StringBytes += len(name) + 1
				}
			})
		}
		add(r)
		for i := range r.Vlen() {
			id := btf.ID(r.Elem(i)[0])
			s.Vars++
			add(o.At(id))
			for _, tag := range tags[id] {
				add(tag)
			}
		}
		shares = append(shares, s)
	}
	return shares
}
