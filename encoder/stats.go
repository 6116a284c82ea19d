package encoder

import (
	"context"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
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

// VariableCosts encodes an image with the features var and global_var. What the BTF would be without variables, and with the feature var
// alone, follows from that one encoding: types and functions are the same each time, and so are the variables of a section that both
// features want. Without its variables, a section has no VARs, no tags of VARs and no DATASEC, and the strings that only these need are
// missing.
func (e *Encoder) VariableCosts(ctx context.Context, f *elf.File) (*Costs, error) {
	some := e.quiet()
	some.OnProgress = e.OnProgress
	some.Features = some.Features.Without(feature.GlobalVar, feature.Layout).With(feature.Var)
	wanted, err := some.sections(f)
	if err != nil {
		return nil, err
	}
	all := *some
	all.Features = all.Features.With(feature.GlobalVar)
	all.apart = &vars.Apart{First: wanted.WantedName}
	res, err := all.Encode(ctx, f)
	if err != nil {
		return nil, err
	}
	c := variableCosts(res.Object, all.apart)
	if slices.ContainsFunc(all.Sections, func(r SectionRule) bool { return r.NoDatasec }) {
		// The object does not show to which section a VAR belongs that no DATASEC lists.
		if res, err = some.Encode(ctx, f); err != nil {
			return nil, err
		}
		c.PerCPU, c.Kinds[1] = whole(res.Object), kinds(res.Object)
	}
	return c, nil
}

// variableCosts computes the costs from an object with all variables, whose strings are apart.
func variableCosts(o *btf.Object, strings *vars.Apart) *Costs {
	c := &Costs{All: whole(o)}
	c.None.StringBytes = c.All.StringBytes - int(strings.All-strings.None)
	c.PerCPU.StringBytes = c.All.StringBytes - int(strings.All-strings.Some)
	tags := make(map[btf.ID][]btf.Record) // of VARs
	for _, r := range o.All() {
		k := r.Kind()
		c.Kinds[2][k]++
		switch {
		case k == btf.KindVar || k == btf.KindDatasec:
			continue
		case k == btf.KindDeclTag && o.Own(r.Type()) && o.At(r.Type()).Kind() == btf.KindVar:
			tags[r.Type()] = append(tags[r.Type()], r)
			continue
		}
		c.Kinds[0][k]++
		c.None.TypeBytes += 4 * len(r)
	}
	c.PerCPU.TypeBytes, c.Kinds[1] = c.None.TypeBytes, c.Kinds[0]
	known := make([]bool, strings.All-strings.None)
	for _, r := range o.All() {
		if r.Kind() != btf.KindDatasec {
			continue
		}
		s := SectionShare{Name: o.Name(r.Name())}
		var n Kinds
		add := func(r btf.Record) {
			n[r.Kind()]++
			s.TypeBytes += 4 * len(r)
			if off := r.Name(); off >= strings.None && off < strings.All && !known[off-strings.None] {
				known[off-strings.None] = true
				name, _ := o.Strings.Get(off)
				s.StringBytes += len(name) + 1
			}
		}
		add(r)
		for i := range r.Vlen() {
			id := btf.ID(r.Elem(i)[0])
			add(o.At(id))
			for _, tag := range tags[id] {
				add(tag)
			}
		}
		s.Vars, s.Datasecs = n[btf.KindVar], 1
		c.Sections = append(c.Sections, s)
		if strings.First(s.Name) {
			c.PerCPU.Vars += s.Vars
			c.PerCPU.Datasecs++
			c.PerCPU.TypeBytes += s.TypeBytes
			for k := range n {
				c.Kinds[1][k] += n[k]
			}
		}
	}
	return c
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
