package dwarf

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// A Place identifies a unit for errors.
type Place struct {
	Index   int    // number of the unit in section order
	Section string // ".debug_info"
	Off     uint64 // offset of position 0 in the section: the start of the unit, unless it is part of MergedUnits

	d *Data // the DWARF that contains the unit
}

// Place returns the place of the unit.
func (u *Unit) Place() Place {
	p := Place{u.Index, ".debug_info", u.Off - uint64(u.at), u.d}
	if u.inTypes {
		p.Section = ".debug_types"
	}
	return p
}

// A UnitError says where a unit violates its format or a rule.
type UnitError struct {
	elf.FormatError
	Unit    int    // its number in section order
	Context string // source file and described entity, such as "fs/inode.c: struct inode"; set by Explain

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

// Err returns an error at a position in the unit.
func (p Place) Err(pos int, format string, args ...any) error {
	return &UnitError{FormatError: elf.FormatError{Section: p.Section, Offset: p.Off + uint64(pos), Problem: fmt.Sprintf(format, args...)}, Unit: p.Index, d: p.d}
}

// Err returns an error at a position in the unit.
func (u *Unit) Err(pos int, format string, args ...any) error {
	return u.Place().Err(pos, format, args...)
}

// Explain finds the context of an error. It reads the unit again, so the image must still be open.
func (e *UnitError) Explain() {
	if e.Context == "" && e.d != nil {
		e.Context = e.d.describe(e.Section, e.Offset)
	}
}

// Describe returns the place of a position in the unit and the entity that is described there, such as
// "CU 3: .debug_info+0x1f0: fs/inode.c: struct inode".
func (p Place) Describe(pos int) string {
	off := p.Off + uint64(pos)
	return fmt.Sprintf("CU %d: %s+%#x: %s", p.Index, p.Section, off, p.d.describe(p.Section, off))
}

// Describe is like Place.Describe, for a position in MergedUnits.
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

// describe finds the unit at an offset of a section. It returns the source file, and the DIE at the offset with the DIEs that contain it. Parts
// of the image that cannot be read are left out.
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

// maxText is the maximum length of a shown name, in bytes.
const maxText = 200

// text returns the string of a key, escaped and shortened for messages.
func (d *Data) text(k StrKey) string {
	var scratch [4]byte
	b := d.keys.whole(k, &scratch)
	s := fmt.Sprintf("%q", b[:min(len(b), maxText)])
	return s[1 : len(s)-1]
}

// nouns are the words for what DIEs describe, by tag.
var nouns = map[Tag]string{TagArrayType: "array", TagClassType: "class", TagEnumerationType: "enum", TagFormalParameter: "parameter",
	TagMember: "member", TagPointerType: "pointer", TagReferenceType: "reference", TagStructureType: "struct", TagSubroutineType: "function type",
	TagTypedef: "typedef", TagUnionType: "union", TagInheritance: "base class", TagSubrangeType: "dimension", TagBaseType: "base type",
	TagConstType: "const type", TagEnumerator: "enumerator", TagSubprogram: "function", TagVariable: "variable", TagVolatileType: "volatile type",
	TagRestrictType: "restrict type", TagNamespace: "namespace", TagAtomicType: "atomic type", TagLexicalBlock: "block",
	TagInlinedSubroutine: "inlined function", TagLLVMAnnotation: "annotation", TagGNUAnnotation: "annotation", TagImportedUnit: "imported unit",
	TagUnspecifiedParams: "list of unspecified parameters", TagCompileUnit: "unit", TagTypeUnit: "type unit", TagPartialUnit: "partial unit",
	TagSkeletonUnit: "skeleton unit"}

// Noun returns the word for what DIEs of a tag describe.
func Noun(t Tag) string {
	if noun, ok := nouns[t]; ok {
		return noun
	}
	return fmt.Sprintf("DIE of tag %#x", uint16(t))
}

// nameOf returns the name of the DIE that was just read, or else the name of its specification or abstract origin.
func (u *Unit) nameOf(c *Cursor) string {
	const steps = 4 // a concrete function, its abstract instance, and the declaration of that
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

// path describes the DIE at a position, or else the last DIE before it. The innermost DIEs that contain it come first.
func (u *Unit) path(pos int) string {
	var open []string // the DIEs whose children are being read, the root first
	last := ""        // the DIE that was read last, if it has no children
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
	const most = 4 // only the innermost DIEs are shown
	texts := open[min(1, len(open)):]
	if last != "" {
		texts = append(texts, last)
	}
	return strings.Join(texts[max(0, len(texts)-most):], ", ")
}
