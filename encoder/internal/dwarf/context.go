package dwarf

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// A Place says which unit of which section errors are about.
type Place struct {
	Index   int    // number of the unit in section order
	Section string // ".debug_info"
	Off     uint64 // of position 0 in the section: of the unit, unless that is part of MergedUnits

	d *Data // that the unit is of
}

// Place is where the unit stands.
func (u *Unit) Place() Place {
	p := Place{u.Index, ".debug_info", u.Off - uint64(u.at), u.d}
	if u.inTypes {
		p.Section = ".debug_types"
	}
	return p
}

// A UnitError says where a unit breaks its format, or a rule.
type UnitError struct {
	elf.FormatError
	Unit    int    // its number in section order
	Context string // the source file, and the DIE by what it describes, once Explain has found them

	d *Data
}

func (e *UnitError) Error() string {
	f := e.FormatError
	if e.Context != "" {
		f.Problem = e.Context + ": " + f.Problem
	}
	return fmt.Sprintf("CU %d: %v", e.Unit, &f)
}

func (e *UnitError) Unwrap() error { return &e.FormatError }

// Err is an error at a position in the unit.
func (p Place) Err(pos int, format string, args ...any) error {
	return &UnitError{FormatError: elf.FormatError{Section: p.Section, Offset: p.Off + uint64(pos), Problem: fmt.Sprintf(format, args...)}, Unit: p.Index, d: p.d}
}

// Err is an error at a position in the unit.
func (u *Unit) Err(pos int, format string, args ...any) error {
	return u.Place().Err(pos, format, args...)
}

// Explain finds the context of an error, for which it reads the unit once more. The image must still be open.
func (e *UnitError) Explain() {
	if e.Context == "" && e.d != nil {
		e.Context = e.d.describe(e.Section, e.Offset)
	}
}

// Describe tells where a position in the unit is and what stands there, such as
// "CU 3: .debug_info+0x1f0: fs/inode.c: struct inode".
func (p Place) Describe(pos int) string {
	off := p.Off + uint64(pos)
	return fmt.Sprintf("CU %d: %s+%#x: %s", p.Index, p.Section, off, p.d.describe(p.Section, off))
}

// Describe is the same for a position in MergedUnits.
func (w *MergedUnits) Describe(pos Offset) string {
	i, ok := w.Find(pos)
	if !ok {
		return ""
	}
	e := &w.units[i]
	p := Place{e.index, ".debug_info", e.off - uint64(e.at), e.part.d}
	if e.part.inTypes {
		p.Section = ".debug_types"
	}
	return p.Describe(int(pos))
}

// describe finds the unit that an offset of a section lies in, and tells what stands there: the source file, and the DIE with
// those around it. It is empty as far as the image cannot be read.
func (d *Data) describe(section string, off uint64) string {
	r := &Reader{d: d, sec: &d.info}
	if section == ".debug_types" {
		r.sec, r.inTypes = &d.types, true
	}
	var u Unit
	for {
		if more, err := r.Reserve(&u); err != nil || !more {
			return ""
		}
		if off < r.off {
			break
		}
	}
	if u.Load() != nil || u.Open() != nil || u.Empty != NotEmpty {
		return ""
	}
	parts := []string{}
	if name := d.text(u.Name); name != "" {
		parts = append(parts, name)
	}
	if path := u.path(int(off - u.Off)); path != "" {
		parts = append(parts, path)
	}
	return strings.Join(parts, ": ")
}

// maxText is how much of a name is shown.
const maxText = 200

// text is the string of a key, fit to be shown.
func (d *Data) text(k StrKey) string {
	var scratch [4]byte
	b := d.keys.whole(k, &scratch)
	s := fmt.Sprintf("%q", b[:min(len(b), maxText)])
	return s[1 : len(s)-1]
}

// nouns are what DIEs describe.
var nouns = map[Tag]string{TagArrayType: "array", TagClassType: "class", TagEnumerationType: "enum", TagFormalParameter: "parameter",
	TagMember: "member", TagPointerType: "pointer", TagReferenceType: "reference", TagStructureType: "struct", TagSubroutineType: "function type",
	TagTypedef: "typedef", TagUnionType: "union", TagInheritance: "base class", TagSubrangeType: "dimension", TagBaseType: "base type",
	TagConstType: "const type", TagEnumerator: "enumerator", TagSubprogram: "function", TagVariable: "variable", TagVolatileType: "volatile type",
	TagRestrictType: "restrict type", TagNamespace: "namespace", TagAtomicType: "atomic type", TagLexicalBlock: "block",
	TagInlinedSubroutine: "inlined function", TagLLVMAnnotation: "annotation", TagGNUAnnotation: "annotation", TagImportedUnit: "imported unit",
	TagUnspecifiedParams: "list of unspecified parameters", TagCompileUnit: "unit", TagTypeUnit: "type unit", TagPartialUnit: "partial unit",
	TagSkeletonUnit: "skeleton unit"}

// Noun is what a DIE of that tag describes.
func Noun(t Tag) string {
	if noun, ok := nouns[t]; ok {
		return noun
	}
	return fmt.Sprintf("DIE of tag %#x", uint16(t))
}

// nameOf is the name of the DIE that was just read, or of the one that it completes.
func (u *Unit) nameOf(c *Cursor) string {
	const steps = 4 // a concrete function, its abstract instance, the declaration of that
	other := *c
	for range steps {
		s := SlotSpec
		if !other.Present(s) {
			s = SlotOrigin
		}
		name := u.d.text(other.Name())
		if name != "" || !other.Present(s) || other.Val[s] < uint64(u.root) || other.Val[s] >= uint64(u.end) || other.Read(int(other.Val[s])) == nil {
			return name
		}
	}
	return ""
}

// path is the DIE at a position, or the last one before it, behind those that it stands in.
func (u *Unit) path(pos int) string {
	var open []string // the DIEs whose children are being read, the root first
	last := ""        // the DIE that was read last, when it has no children
	var c Cursor
	c.Start(u)
	for at := u.root; at <= pos && at < u.end; at = c.Next {
		a := c.Read(at)
		if c.Err != nil {
			break
		}
		if a == nil {
			if len(open) > 1 {
				open = open[:len(open)-1]
			}
			last = ""
			continue
		}
		noun := Noun(a.Tag)
		if name := u.nameOf(&c); name != "" && at != u.root {
			noun += " " + name
		}
		if last = noun; a.Children || at == u.root {
			open, last = append(open, noun), ""
		}
	}
	const most = 4 // DIEs, the innermost
	texts := open[min(1, len(open)):]
	if last != "" {
		texts = append(texts, last)
	}
	return strings.Join(texts[max(0, len(texts)-most):], ", ")
}
