package translate

import (
	"fmt"
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/dwarf"
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
	NoteNameless NoteRule = iota // a declaration without a name: what it declares is unknown
	NumNoteRules
)

// noteRules have the name of each rule, and what it says; %v is Note.Value.
var noteRules = [NumNoteRules]struct {
	name string
	text func(value uint64) string
}{
	NoteNameless: {"nameless-declaration", func(uint64) string { return "a declaration without a name is an empty struct" }},
}

// String is the rule's name, as users see it.
func (r NoteRule) String() string { return noteRules[r].name }

// Place is where the DIE is.
func (n *Note) Place(s *dwarf.Strings) string {
	var scratch [4]byte
	place := "CU " + strconv.FormatUint(uint64(n.CU), 10)
	if unit := s.Get(n.Unit, &scratch); len(unit) != 0 {
		place += " (" + printable(string(unit)) + ")"
	}
	section := ".debug_info"
	if n.Types {
		section = ".debug_types"
	}
	return fmt.Sprintf("%s: %s+%#x", place, section, n.Off)
}

// Text says what is to be told of the DIE.
func (n *Note) Text(s *dwarf.Strings) string {
	var scratch [4]byte
	text := noteRules[n.Rule].text(n.Value)
	if name := s.Get(n.Name, &scratch); len(name) != 0 {
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

// note makes a note of the DIE at pos.
func (w *walker) note(rule NoteRule, pos int, name dwarf.StrKey, value uint64) {
	p := w.u.Place()
	w.t.Notes = append(w.t.Notes, Note{Off: p.Off + uint64(pos), Value: value, Name: name, Unit: w.u.Name, CU: uint32(p.Index),
		Rule: rule, Types: p.Section == ".debug_types"})
}
