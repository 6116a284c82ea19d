package encoder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// A Warning has the findings of one rule: places where the BTF differs from the meaning of the source.
type Warning struct {
	Rule     string   // such as "unknown-tag"
	Count    int      // of different findings: what many CUs include from one header counts once
	Examples []string // the first findings, each with its place
}

// maxExamples bounds how many findings of a rule are kept.
const maxExamples = 20

// RuleReduced is the rule of the warning that the image lacks the definitions of structs.
const RuleReduced = "reduced-debug-info"

// RuleRenamed is the rule of the warning that a function is lost because its name and that of its symbol differ in a few bits.
const RuleRenamed = "renamed-function"

// RuleNotLinked is the rule of the warning that the image is an object file that waits for link-time optimisation.
const RuleNotLinked = "not-linked"

// A warner collects the findings of the units, in the order in which they are joined.
type warner struct {
	image string // prefix of each place, if there are several images
	found [translate.NumNoteRules]finding

	renamed []string // functions whose names nearly match their symbols
	waiting []string // warnings about images that wait for link-time optimisation
	kfuncs  string   // the warning about kfuncs with implicit arguments
}

// A finding has what one rule has found so far.
type finding struct {
	count    int
	examples []string
	texts    map[string]bool // of findings with a name
}

// maxTexts bounds how many findings of a rule are compared with each other. After that, each finding counts.
const maxTexts = 1 << 16

// add records the notes of a unit.
func (w *warner) add(notes []translate.Note, s *dwarf.Strings) {
	for i := range notes {
		n := &notes[i]
		w.found[n.Rule].add(n.Name != 0, n.Text(s), func() string { return w.image + n.Place(s) + ": " })
	}
}

// waits records that the image waits for link-time optimisation.
func (w *warner) waits() {
	w.waiting = append(w.waiting, w.image+"the object waits for link-time optimisation: it has no code, and its BTF no function and no variable; link it with -r and -flinker-output=nolto-rel first")
}

// name records that the name of the DIE at an offset of a unit was replaced by an identifier.
func (w *warner) name(t *translate.Unit, off uint32, name string) {
	n := t.NameNote(off)
	w.found[n.Rule].add(true, n.Rule.Text(name, 0), func() string { return w.image + n.Place(t.Strings) + ": " })
}

// functions records that the names of functions were replaced by identifiers.
func (w *warner) functions(names []string) {
	const rule = translate.NoteName
	for _, name := range names {
		w.found[rule].add(true, rule.Text(name, 0), func() string { return w.image + "function " })
	}
}

// add counts a finding, and keeps it with its place if it is one of the first. A finding with a name counts once.
func (f *finding) add(named bool, text string, place func() string) {
	if named && len(f.texts) < maxTexts {
		if f.texts[text] {
			return
		}
		if f.texts == nil {
			f.texts = make(map[string]bool)
		}
		f.texts[text] = true
	}
	if f.count++; f.count <= maxExamples {
		f.examples = append(f.examples, place()+text)
	}
}

// warnings lists all findings: first those about the image as a whole, then rule by rule.
func (w *warner) warnings(o *btf.Object) []Warning {
	var list []Warning
	if text := reduced(o, w.found[translate.NoteNameless].count > 0); text != "" {
		list = append(list, Warning{Rule: RuleReduced, Count: 1, Examples: []string{text}})
	}
	if n := len(w.renamed); n > 0 {
		list = append(list, Warning{Rule: RuleRenamed, Count: n, Examples: w.renamed[:min(n, maxExamples)]})
	}
	if n := len(w.waiting); n > 0 {
		list = append(list, Warning{Rule: RuleNotLinked, Count: n, Examples: w.waiting[:min(n, maxExamples)]})
	}
	if w.kfuncs != "" {
		list = append(list, Warning{Rule: RuleImplicit, Count: 1, Examples: []string{w.image + w.kfuncs}})
	}
	for rule := range translate.NumNoteRules {
		if f := &w.found[rule]; f.count > 0 {
			list = append(list, Warning{Rule: rule.String(), Count: f.count, Examples: slices.Clip(f.examples)})
		}
	}
	return list
}

// reduced returns a warning if more structs and unions are only declared than plain C code would cause. Options of compilers leave definitions
// out, such as gcc's -femit-struct-debug-baseonly, which is the kernel's DEBUG_INFO_REDUCED. Signs of that: a member contains a struct that is
// only declared, which no compiler accepts; a declared struct has no name; or most structs are only declared.
func reduced(o *btf.Object, nameless bool) string {
	declared, defined, unnamed := 0, 0, 0
	var composites []btf.ID
	hollow := make([]bool, o.Len()) // by id - o.First(): the type contains a struct or union that is only declared
	for i := range hollow {
		id := o.First() + btf.ID(i)
		r := o.At(id)
		switch k := r.Kind(); {
		case k == btf.KindFwd:
			declared++
			hollow[i] = true
		case btf.Composites.Has(k):
			if !nameless || r.Name() != 0 || r.Vlen() != 0 {
				defined++
			}
			composites = append(composites, id)
		case btf.Modifiers.Has(k), k == btf.KindArray:
			if nameless && k == btf.KindTypedef && empty(o, uint32(r.Type())) {
				unnamed++
			}
			hollow[i] = heldKind(o, uint32(id)) == btf.KindFwd
		}
	}
	if nameless {
		unnamed = max(unnamed, 1)
	}
	const most = 10 // declared structs: fewer are no sign
	var held []string
	if declared > 0 {
		held = incompleteMembers(o, composites, hollow)
	}
	if len(held) == 0 && unnamed == 0 && (declared < most || declared <= defined) {
		return ""
	}
	declared += unnamed
	text := fmt.Sprintf("%d of %d structs are declarations only (DEBUG_INFO_REDUCED?)", declared, declared+defined)
	if len(held) > 0 {
		some := held[:min(len(held), 3)]
		text += fmt.Sprintf("; members that hold one: %d (%s", len(held), strings.Join(some, ", "))
		if len(some) < len(held) {
			text += ", ..."
		}
		text += ")"
	}
	return text
}

// empty reports whether a type is a struct or union without name and members.
func empty(o *btf.Object, id uint32) bool {
	r, _ := o.Record(btf.ID(id))
	return r != nil && btf.Composites.Has(r.Kind()) && r.Name() == 0 && r.Vlen() == 0
}

// incompleteMembers lists the members of composites that contain a struct or union that is only declared. hollow says which of the object's
// own types contain one.
func incompleteMembers(o *btf.Object, composites []btf.ID, hollow []bool) (list []string) {
	first := uint32(o.First())
	for _, id := range composites {
		r := o.At(id)
		for m := r[memberWords:]; len(m) >= memberWords; m = m[memberWords:] { // name, type, place
			if at := m[1] - first; at < uint32(len(hollow)) && hollow[at] || m[1] < first && heldKind(o, m[1]) == btf.KindFwd {
				list = append(list, fmt.Sprintf("%s.%s", named(o, r.Name()), named(o, m[0])))
			}
		}
	}
	return list
}

// memberWords is the number of words of a member, and also of a record before its members.
const memberWords = 3

func named(o *btf.Object, off uint32) string {
	if name := o.Name(off); name != "" {
		return name
	}
	return "(anon)"
}

// heldKind returns the kind of a type without its typedefs, qualifiers and arrays. 0 is void.
func heldKind(o *btf.Object, id uint32) btf.Kind {
	const longest = 1 << 10 // ends the walk of a cycle
	for range longest {
		r, ok := o.Record(btf.ID(id))
		if !ok {
			return 0
		}
		switch k := r.Kind(); {
		case k == btf.KindArray:
			id = r[3]
		case btf.Modifiers.Has(k):
			id = r[2]
		default:
			return k
		}
	}
	return 0
}
