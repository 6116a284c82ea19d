package encoder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// A Warning is what one rule found: something that the BTF does not say as the source means it.
type Warning struct {
	Rule     string   // such as "unknown-tag"
	Count    int      // of different findings: what many CUs have from one header counts once
	Examples []string // the first of them, each with its place
}

// maxExamples bounds how many findings of a rule are kept.
const maxExamples = 20

// RuleReduced is the rule that the image has few of its structs.
const RuleReduced = "reduced-debug-info"

// RuleRenamed is the rule that a function is lost since its name and that of its symbol differ in a few bits.
const RuleRenamed = "renamed-function"

// RuleNotLinked is the rule that the image is an object that waits for link-time optimisation.
const RuleNotLinked = "not-linked"

// A warner gathers what the units of an image noted, in the order in which they are joined.
type warner struct {
	image string // put before each place, where there are several images
	found [translate.NumNoteRules]finding

	renamed []string // functions whose symbols have nearly their names
	waiting []string // what is said of images that wait for link-time optimisation
	kfuncs  string   // what is said of kfuncs with implicit arguments
}

// A finding is what one rule found so far.
type finding struct {
	count    int
	examples []string
	texts    map[string]bool // of what has a name
}

// maxTexts bounds how many findings of a rule are told apart; of those behind it each counts.
const maxTexts = 1 << 16

// add takes over the notes of a unit.
func (w *warner) add(notes []translate.Note, s *dwarf.Strings) {
	for i := range notes {
		n := &notes[i]
		w.found[n.Rule].add(n.Name != 0, n.Text(s), func() string { return w.image + n.Place(s) + ": " })
	}
}

// waits takes over that the image waits for link-time optimisation.
func (w *warner) waits() {
	w.waiting = append(w.waiting, w.image+"the object waits for link-time optimisation: it has no code, and its BTF no function and no variable; link it with -r and -flinker-output=nolto-rel first")
}

// name takes over that a name was made an identifier, of what is at an offset of a unit.
func (w *warner) name(t *translate.Unit, off uint32, name string) {
	n := t.NameNote(off)
	w.found[n.Rule].add(true, n.Rule.Text(name, 0), func() string { return w.image + n.Place(t.Strings) + ": " })
}

// functions takes over that the names of functions were made identifiers.
func (w *warner) functions(names []string) {
	const rule = translate.NoteName
	for _, name := range names {
		w.found[rule].add(true, rule.Text(name, 0), func() string { return w.image + "function " })
	}
}

// add counts what was found, with the place in front where it is kept. What has a name is told once.
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

// warnings lists what was found: first what concerns the image as a whole, then rule by rule.
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

// reduced says how many structs and unions are only declared, if that is more than C code comes to by itself: if a member holds one
// that is only declared, which no compiler accepts, if one is declared without a name, or if most are only declared. Compilers
// leave definitions out where they are told to (gcc's -femit-struct-debug-baseonly, which is the kernel's DEBUG_INFO_REDUCED).
func reduced(o *btf.Object, nameless bool) string {
	declared, defined, unnamed := 0, 0, 0
	var composites []btf.ID
	hollow := make([]bool, o.Len()) // types that hold a struct or union which is only declared, from o.First() on
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
	const most = 10 // structs that are declared, of which few say nothing
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

// incompleteMembers lists the members of composites that hold a struct or union which is only declared. hollow says so of the object's
// own types.
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

// memberWords is how many words a member has, and a record before its members.
const memberWords = 3

func named(o *btf.Object, off uint32) string {
	if name := o.Name(off); name != "" {
		return name
	}
	return "(anon)"
}

// heldKind is the kind of what a member of a type holds: behind typedefs, qualifiers and arrays. 0 is void.
func heldKind(o *btf.Object, id uint32) btf.Kind {
	const longest = 1 << 10 // a chain that closes to a ring ends here
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
