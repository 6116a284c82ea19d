package translate

import (
	"fmt"
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// A Note says that the BTF of one DIE differs from what the source means. Notes are rare: most C units have none. They hold no
// pointers, which keeps units cheap for the garbage collector; the texts are made when the unit is joined.
type Note struct {
	Off   uint64       // of the DIE in its section
	Value uint64       // depends on the rule
	Name  dwarf.StrKey // of the DIE, or 0
	Unit  dwarf.StrKey // name of its CU
	CU    uint32       // number of its CU
	Rule  NoteRule
	Types bool // the section is .debug_types
}

// A NoteRule is a kind of note.
type NoteRule uint8

// The rules, in the order in which they are reported.
const (
	NoteNameless    NoteRule = iota // a declaration has no name, so what it declares is unknown
	NoteUnknownTag                  // a reference leads to a DIE with an unknown tag; Value is the tag, an outcome and a size
	NoteOpaque                      // a type that BTF lacks became a struct; Value is its size
	NoteOddInteger                  // an integer has a size that INT does not allow; Value is the size
	NoteFakeInteger                 // the same, but it became an INT of another size
	NoteOddFloat                    // a float that FLOAT cannot express became an integer; Value is the size
	NoteName                        // a name was changed into an identifier
	NoteEmptyUnit                   // a unit without contents was left out; Value is the dwarf.Nothing
	NoteUnsized                     // a member, element or parameter has a type without a size: void, or a function
	NoteOddEncoding                 // a base type of another encoding became an integer; Value is the encoding
	NoteLostPart                    // a part of a struct was left out; Value is its tag
	NoteEmptyTag                    // a declaration tag without text was left out
	NoteOddArray                    // the number of elements of a dimension is unknown; Value is the tag of the dimension
	NumNoteRules
)

// noteRules has the name and the text of each rule. The argument of text is Note.Value.
var noteRules = [NumNoteRules]struct {
	name string
	text func(value uint64) string
}{
	NoteNameless: {"nameless-declaration", func(uint64) string { return "declaration without a name: replaced by an empty struct" }},
	NoteUnknownTag: {"unknown-tag", func(v uint64) string {
		text := fmt.Sprintf("a DIE with tag %#x is used as a type: ", uint16(v))
		switch outcome(v >> 16 & 0xff) {
		case asTarget:
			return text + "replaced by the type that it refers to"
		case asOpaque:
			return text + fmt.Sprintf("replaced by a struct of %d bytes without members", v>>32)
		}
		return text + "replaced by void"
	}},
	NoteOpaque: {"opaque-type", func(size uint64) string {
		return fmt.Sprintf("BTF cannot express this type: replaced by a struct of %d bytes without members", size)
	}},
	NoteOddInteger: {"odd-integer", func(size uint64) string {
		return fmt.Sprintf("BTF cannot express an integer of %d bytes: replaced by a struct without members", size)
	}},
	NoteFakeInteger: {"fake-integer", func(size uint64) string {
		return fmt.Sprintf("BTF cannot express an integer of %d bytes: replaced by one of 4 bytes", size)
	}},
	NoteOddFloat: {"odd-float", func(size uint64) string {
		return fmt.Sprintf("BTF cannot express this float of %d bytes: replaced by an integer", size)
	}},
	NoteUnsized: {"unsized-type", func(uint64) string { return "its type has no size (void or a function): replaced by an empty struct" }},
	NoteOddEncoding: {"odd-encoding", func(enc uint64) string {
		return fmt.Sprintf("BTF cannot express a base type with encoding %#x: replaced by an unsigned integer", enc)
	}},
	NoteLostPart: {"lost-member", func(tag uint64) string {
		return fmt.Sprintf("BTF cannot express the part of a struct with tag %#x: left out", tag)
	}},
	NoteEmptyTag: {"empty-tag", func(uint64) string { return "declaration tag without text: left out" }},
	NoteOddArray: {"odd-array", func(tag uint64) string {
		return fmt.Sprintf("number of elements unknown: a dimension of the array has tag %#x", tag)
	}},
	NoteEmptyUnit: {"empty-unit", func(v uint64) string { return dwarf.Nothing(v).String() + ": left out" }},
	NoteName:      {"odd-name", func(uint64) string { return "kernels refuse this name: changed into an identifier" }},
}

// String returns the name of the rule, as users see it.
func (r NoteRule) String() string { return noteRules[r].name }

// Place returns the place of the DIE, for messages.
func (n *Note) Place(s *dwarf.Strings) string {
	var scratch [4]byte
	section := ".debug_info"
	if n.Types {
		section = ".debug_types"
	}
	place := fmt.Sprintf("%s+%#x", section, n.Off)
	if n.CU == noCU {
		return place
	}
	unit := s.Get(n.Unit, &scratch)
	if len(unit) == 0 {
		return fmt.Sprintf("CU %d: %s", n.CU, place)
	}
	return fmt.Sprintf("CU %d (%s): %s", n.CU, printable(string(unit)), place)
}

// Text returns the message about the DIE, without its place.
func (n *Note) Text(s *dwarf.Strings) string {
	var scratch [4]byte
	return n.Rule.Text(string(s.Get(n.Name, &scratch)), n.Value)
}

// Text returns the message of the rule about something with the given name, which may be empty.
func (r NoteRule) Text(name string, value uint64) string {
	text := noteRules[r].text(value)
	if name != "" {
		return fmt.Sprintf("%q: %s", name, text)
	}
	return text
}

// printable returns text unchanged if all its characters are printable, and quoted otherwise.
func printable(text string) string {
	if q := strconv.Quote(text); q[1:len(q)-1] != text {
		return q
	}
	return text
}

// noCU, as the number of a CU, says that the number is unknown.
const noCU = 1<<32 - 1

// NameNote returns the note that the name of the DIE at an offset of the unit was changed into an identifier.
func (t *Unit) NameNote(off uint32) Note {
	n := Note{Rule: NoteName, Off: t.Place.Off + uint64(off), Unit: t.Name, CU: uint32(t.Place.Index), Types: t.Place.Section == ".debug_types"}
	if t.Merged {
		n.Unit, n.CU = 0, noCU
	}
	return n
}

// note adds a note about the DIE at pos.
func (w *walker) note(rule NoteRule, pos int, name dwarf.StrKey, value uint64) {
	n := w.placed(pos)
	n.Rule, n.Name, n.Value = rule, name, value
	w.t.Notes = append(w.t.Notes, n)
}

func emptyUnit(u *dwarf.Unit) Note {
	p := u.Place()
	return Note{Off: u.Off, CU: uint32(p.Index), Types: p.Section == ".debug_types", Rule: NoteEmptyUnit, Value: uint64(u.Empty)}
}

// placed returns a note about the DIE at pos that has only the place.
func (w *walker) placed(pos int) Note {
	p := w.u.Place()
	return Note{Off: p.Off + uint64(pos), Unit: w.u.Name, CU: uint32(p.Index), Types: p.Section == ".debug_types"}
}
