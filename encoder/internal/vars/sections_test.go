package vars_test

import (
	"bytes"
	"debug/elf"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// sample has per-CPU variables in two sections that share a prefix: at 0, discarded, weak and strong, and one with an odd
// name.
func sample() []byte {
	b := synth.New(synth.Target{})
	at(0, func(w *world) {
		w.v("first", 0)
		w.unsymboled("discarded", 0)
		w.unsymboled("unowned", 4)
		w.v("__UNIQUE_ID_real", 8)
		w.v("debug_a", 12)
		other := w.Data(".data..percpu..user", 0x4000, 64)
		w.Symbol("hot", other.At(0), 8, elf.STT_OBJECT)
		w.Var("hot", w.i, other.At(0))
		w.unit("b.c")
		w.Var("hot", w.Base("long", 8, synth.Signed), other.At(0))
	})(b)
	return b.Bytes()
}

// TestSectionRules: what each switch of a section rule does, in the profile default.
func TestSectionRules(t *testing.T) {
	const percpu = btf.SectionPerCPU
	rows := []struct {
		name  string
		rules []encoder.SectionRule
		want  string
	}{
		{"the default", nil, `
			static __UNIQUE_ID_real
			static debug_a
			.data..percpu 16: __UNIQUE_ID_real@8+4 debug_a@12+4
			no first: symbol value is 0
			no discarded: owns no storage in the section
			no unowned: owns no storage in the section`},
		{"zero addresses stay", []encoder.SectionRule{{Section: percpu, DropNonAllocated: true}}, `
			static first
			static __UNIQUE_ID_real
			static debug_a
			.data..percpu 16: first@0+4 __UNIQUE_ID_real@8+4 debug_a@12+4
			no discarded: owns no storage in the section
			no unowned: owns no storage in the section`},
		{"what owns no storage stays", []encoder.SectionRule{{Section: percpu, DropZeroAddress: true}}, `
			static unowned
			static __UNIQUE_ID_real
			static debug_a
			.data..percpu 16: unowned@4+4 __UNIQUE_ID_real@8+4 debug_a@12+4
			no first: symbol value is 0
			no discarded: symbol value is 0`},
		{"names", []encoder.SectionRule{{Section: percpu, DropZeroAddress: true, DropNonAllocated: true, DropSymbols: []string{"debug_*", "__UNIQUE_ID*"}}}, `
			no first: symbol value is 0
			no discarded: owns no storage in the section
			no unowned: owns no storage in the section
			no __UNIQUE_ID_real: excluded by its name
			no debug_a: excluded by its name`},
		{"a glob of sections; duplicates go", []encoder.SectionRule{{Section: percpu + "*", DropZeroAddress: true, DropNonAllocated: true, DropSymbols: []string{"*e*", "*_*"}}}, `
			static hot
			.data..percpu..user 8: hot@0+8
			no first: symbol value is 0
			no discarded: excluded by its name
			no unowned: excluded by its name
			no __UNIQUE_ID_real: excluded by its name
			no debug_a: excluded by its name
			no hot: a strong definition of that offset exists`},
		{"duplicates stay", []encoder.SectionRule{{Section: percpu + "..user", DropNonAllocated: true, KeepDuplicates: true}}, `
			static hot
			static hot
			.data..percpu..user 8: hot@0+4 hot@0+8`},
		{"no DATASEC", []encoder.SectionRule{{Section: percpu, DropZeroAddress: true, DropNonAllocated: true, NoDatasec: true}}, `
			static __UNIQUE_ID_real
			static debug_a
			no first: symbol value is 0
			no discarded: owns no storage in the section
			no unowned: owns no storage in the section`},
		{"the first rule that matches counts", []encoder.SectionRule{{Section: percpu, DropSymbols: []string{"*"}}, {Section: percpu}}, `
			no first: excluded by its name
			no discarded: excluded by its name
			no unowned: excluded by its name
			no __UNIQUE_ID_real: excluded by its name
			no debug_a: excluded by its name`},
		{"no rule, no variable", []encoder.SectionRule{}, ``},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got, _, err := outcome(sample(), encoder.Encoder{Options: encoder.Options{Features: feature.Default(), Sections: r.rules}, VerifyDedup: true})
			if err != nil {
				t.Fatal(err)
			}
			if got != trim(r.want) {
				t.Errorf("got\n%s\nwant\n%s", got, trim(r.want))
			}
		})
	}
}

func TestBadPattern(t *testing.T) {
	data := sample()
	f, err := image.NewFile(bytes.NewReader(data), uint64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []vars.Rule{{Section: "["}, {Section: "a", SymbolGlobs: []string{"[x"}}} {
		if _, err := vars.NewSections(f, vars.Options{Rules: []vars.Rule{r}}); err == nil || !strings.Contains(err.Error(), "bad pattern") {
			t.Errorf("%+v: got error %v, want one about the pattern", r, err)
		}
	}
}

func TestReasonTexts(t *testing.T) {
	seen := map[string]bool{}
	for r := range vars.NumReasons {
		if text := r.String(); text == "" || seen[text] {
			t.Errorf("reason %d: got text %q, want one of its own", r, text)
		} else {
			seen[text] = true
		}
	}
}

// TestVoidWithoutForce: what BTF cannot express is an error, unless encode_force leaves it out.
func TestVoidWithoutForce(t *testing.T) {
	b := synth.New(synth.Target{})
	at(0x1000, func(w *world) {
		w.Symbol("nothing", w.sec.At(16), 4, elf.STT_OBJECT)
		w.Var("nothing", nil, w.sec.At(16))
	})(b)
	_, _, err := outcome(b.Bytes(), encoder.Encoder{Options: encoder.Options{Features: feature.Default().Without(feature.EncodeForce)}})
	if err == nil || !strings.Contains(err.Error(), "nothing has type void") {
		t.Errorf("got error %v, want one about void", err)
	}
}
