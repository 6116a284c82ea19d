package translate

import (
	"fmt"
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// A Note says of one DIE that its BTF is not what the source means. Notes are rare: a unit of C has none as a rule. They hold no
// pointers, so that units stay cheap to collect; the texts are made when the unit is joined.
type Note struct {
	Off   uint64       // of the DIE in its section
	Value uint64       // what the rule says
	Name  dwarf.StrKey // of the DIE, or 0
	Unit  dwarf.StrKey // name of its CU
	CU    uint32       // number of its CU
	Rule  NoteRule
	Types bool // the section is .debug_types
}

// A NoteRule is a kind of note.
type NoteRule uint8

// The rules, in the order in which they are told.
const (
	NoteNameless    NoteRule = iota // a declaration without a name: what it declares is unknown
	NoteUnknownTag                  // a type has a tag without a counterpart; Value is the tag, an outcome and a size
	NoteOpaque                      // a type without a counterpart is a struct; Value is its size
	NoteOddInteger                  // an integer has a size that no INT has; Value is the size
	NoteFakeInteger                 // the same, where it is an INT of another size
	NoteOddFloat                    // a float that FLOAT does not have is an integer; Value is the size
	NoteName                        // a name is made an identifier
	NoteEmptyUnit                   // a unit is left out, since there is nothing in it; Value is the dwarf.Nothing
	NoteUnsized                     // something holds a type without a size: void, or a function
	NoteOddEncoding                 // an integer stands for what is none; Value is the encoding
	NoteLostPart                    // a part of a struct is left out; Value is its tag
	NoteEmptyTag                    // a declaration tag without a text is left out
	NoteOddArray                    // the number of elements of a dimension is not known; Value is the tag of the dimension
	NumNoteRules
)

// noteRules have the name of each rule, and what it says; %v is Note.Value.
var noteRules = [NumNoteRules]struct {
	name string
	text func(value uint64) string
}{
	NoteNameless: {"nameless-declaration", func(uint64) string { return "a declaration without a name is an empty struct" }},
	NoteUnknownTag: {"unknown-tag", func(v uint64) string {
		text := fmt.Sprintf("something refers to tag %#x as to a type: ", uint16(v))
		switch outcome(v >> 16 & 0xff) {
		case asTarget:
			return text + "it is taken for the type that it refers to itself"
		case asOpaque:
			return text + fmt.Sprintf("it is a struct of %d bytes without members", v>>32)
		}
		return text + "it is void"
	}},
	NoteOpaque: {"opaque-type", func(size uint64) string {
		return fmt.Sprintf("BTF has no such type: it is a struct of %d bytes without members", size)
	}},
	NoteOddInteger: {"odd-integer", func(size uint64) string {
		return fmt.Sprintf("BTF has no integer of %d bytes: it is a struct without members", size)
	}},
	NoteFakeInteger: {"fake-integer", func(size uint64) string {
		return fmt.Sprintf("BTF has no integer of %d bytes: it is one of 4 bytes", size)
	}},
	NoteOddFloat: {"odd-float", func(size uint64) string {
		return fmt.Sprintf("BTF has no such float of %d bytes: it is an integer", size)
	}},
	NoteUnsized: {"unsized-type", func(uint64) string { return "it holds what has no size, void or a function: that is an empty struct" }},
	NoteOddEncoding: {"odd-encoding", func(enc uint64) string {
		return fmt.Sprintf("BTF has no base type of the encoding %#x: it is an unsigned integer", enc)
	}},
	NoteLostPart: {"lost-member", func(tag uint64) string {
		return fmt.Sprintf("BTF has no counterpart of what tag %#x says of a struct: it is left out", tag)
	}},
	NoteEmptyTag: {"empty-tag", func(uint64) string { return "a declaration tag without a text is left out" }},
	NoteOddArray: {"odd-array", func(tag uint64) string {
		return fmt.Sprintf("a dimension of the array is of tag %#x: its elements are not counted", tag)
	}},
	NoteEmptyUnit: {"empty-unit", func(v uint64) string { return dwarf.Nothing(v).String() + ", and it is left out" }},
	NoteName:      {"odd-name", func(uint64) string { return "kernels refuse this name: it is made an identifier" }},
}

// String is the rule's name, as users see it.
func (r NoteRule) String() string { return noteRules[r].name }

// Place is where the DIE is.
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

// Text says what is to be told of the DIE.
func (n *Note) Text(s *dwarf.Strings) string {
	var scratch [4]byte
	return n.Rule.Text(string(s.Get(n.Name, &scratch)), n.Value)
}

// Text says what the rule tells of something with a name, which may be empty.
func (r NoteRule) Text(name string, value uint64) string {
	text := noteRules[r].text(value)
	if name != "" {
		return fmt.Sprintf("%q: %s", name, text)
	}
	return text
}

// printable is text as it stands if it is of printable characters, else quoted.
func printable(text string) string {
	if q := strconv.Quote(text); q[1:len(q)-1] != text {
		return q
	}
	return text
}

// noCU as the number of a CU says that it is not known.
const noCU = 1<<32 - 1

// NameNote is the note that a name was made an identifier, of the DIE at an offset of the unit.
func (t *Unit) NameNote(off uint32) Note {
	n := Note{Rule: NoteName, Off: t.Place.Off + uint64(off), Unit: t.Name, CU: uint32(t.Place.Index), Types: t.Place.Section == ".debug_types"}
	if t.Merged {
		n.Unit, n.CU = 0, noCU
	}
	return n
}

// note makes a note of the DIE at pos.
func (w *walker) note(rule NoteRule, pos int, name dwarf.StrKey, value uint64) {
	n := w.placed(pos)
	n.Rule, n.Name, n.Value = rule, name, value
	w.t.Notes = append(w.t.Notes, n)
}

func emptyUnit(u *dwarf.Unit) Note {
	p := u.Place()
	return Note{Off: u.Off, CU: uint32(p.Index), Types: p.Section == ".debug_types", Rule: NoteEmptyUnit, Value: uint64(u.Empty)}
}

// placed is a note of the DIE at pos that has nothing but the place.
func (w *walker) placed(pos int) Note {
	p := w.u.Place()
	return Note{Off: p.Off + uint64(pos), Unit: w.u.Name, CU: uint32(p.Index), Types: p.Section == ".debug_types"}
}
