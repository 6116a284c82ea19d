package encoder

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// A FuncDecision is the decision about the function of one name. All its copies in all units give one FUNC or none.
type FuncDecision struct {
	Name   string     // without a suffix of the compiler, such as ".isra.0"
	Reason FuncReason // FuncKept if there is a FUNC
	States int        // the number of subprograms of that name
	Differ string     // the first difference between the prototypes of two of them, in pahole's words; empty if they agree
}

// A FuncReason says why a function of the symbol table has no FUNC.
type FuncReason uint8

// The reasons why a function has no FUNC, in the order in which they are checked. If several apply, the last one counts.
const (
	FuncKept                  FuncReason = iota // it has a FUNC
	FuncUnexpectedRegister                      // a parameter is not in the register that the calling convention assigns to it
	FuncInconsistentPrototype                   // two units disagree about its prototype
	FuncUncertainLocation                       // the DWARF does not say with certainty where a parameter is
	FuncReorderedParameters                     // the compiler has changed the order of parameters
	FuncOptimizedParameters                     // the compiler has removed a parameter
	FuncAmbiguousAddress                        // several symbols of the name have different addresses
	NumFuncReasons
)

// String returns the reason in pahole's words, such as "ambiguous address".
func (r FuncReason) String() string {
	if r >= NumFuncReasons {
		return fmt.Sprintf("reason(%d)", uint8(r))
	}
	return funcs.Reason(r).String()
}

// Rule returns the name of the rule that the function violates, such as "unambiguous-address", or "kept" if it violates none.
func (r FuncReason) Rule() string {
	if r >= NumFuncReasons {
		return ""
	}
	return funcs.Reason(r).Rule()
}

// A VarDecision is the decision about one variable of one unit.
type VarDecision struct {
	Name    string
	Section string    // the section that contains the variable; empty if there is none
	Addr    uint64    // the address in DWARF
	Offset  uint64    // in bytes, from the start of the section
	Size    uint64    // in bytes
	Reason  VarReason // VarKept if it is a VAR
}

// A VarReason says why a variable is not a VAR.
type VarReason uint8

// The reasons why a variable is not a VAR, in the order in which they are checked. If several apply, the first one counts.
const (
	VarKept         VarReason = iota // it is a VAR
	VarNotTopLevel                   // it is declared inside a function or namespace
	VarArtificial                    // the compiler created it
	VarOtherSection                  // another section also covers its address, and comes first
	VarUnnamed                       // it has no name
	VarNotAVariable                  // its name is reserved by the kernel's build for other symbols
	VarNoSymbol                      // it has no storage in the section: no symbol is at its address
	VarZeroAddress                   // the value of its symbol is 0
	VarExcluded                      // SectionRule.DropSymbols contains its name
	VarInvalidName                   // its name is not valid in BTF
	VarVoidType                      // its type is void
	VarZeroSize                      // its size is 0 or more than 4 GiB
	VarOffsetTooBig                  // its offset in the section is more than 4 GiB
	VarDuplicate                     // there is a strong definition at its offset
	NumVarReasons
)

// String returns the reason in words, such as "owns no storage in the section".
func (r VarReason) String() string {
	if r >= NumVarReasons {
		return fmt.Sprintf("reason(%d)", uint8(r))
	}
	return vars.Reason(r).String()
}

// Rule returns the name of the rule, such as "non-allocated", or "kept" if the variable is a VAR. If manifests have a word for the rule,
// the name is that word.
func (r VarReason) Rule() string {
	if r >= NumVarReasons {
		return ""
	}
	return vars.Reason(r).Rule()
}

// A SectionRule says which variables of some sections become VARs, and whether a DATASEC lists them. If several rules match the name of a
// section, the first one applies.
type SectionRule struct {
	Section          string   // name of the section, or a pattern of path.Match
	DropZeroAddress  bool     // leave out symbols with the value 0 in a section that starts at 0
	DropNonAllocated bool     // leave out variables without storage in the section
	DropUnnamed      bool     // leave out variables without a name; otherwise they are an error
	DropSymbols      []string // leave out symbols with these names, or that match these patterns
	NoDatasec        bool     // create VARs, but no DATASEC
	KeepDuplicates   bool     // keep weak and strong definitions at one offset, as pahole does; otherwise only the strong one
}

// DefaultSections returns the rules that apply if Options.Sections is nil: per-CPU variables, without those at address 0 and those
// without storage.
func DefaultSections() []SectionRule {
	var list []SectionRule
	for _, r := range vars.DefaultRules() {
		list = append(list, SectionRule{Section: r.Section, DropZeroAddress: r.ZeroAddress, DropNonAllocated: r.NonAllocated, DropUnnamed: r.Unnamed,
			DropSymbols: r.SymbolGlobs, NoDatasec: r.NoDatasec, KeepDuplicates: r.KeepDuplicate})
	}
	return list
}

// varRules returns the section rules in the form that package vars takes.
func (o *Options) varRules() []vars.Rule {
	if o.Sections == nil {
		return vars.DefaultRules()
	}
	list := make([]vars.Rule, len(o.Sections))
	for i, r := range o.Sections {
		list[i] = vars.Rule{Section: r.Section, ZeroAddress: r.DropZeroAddress, NonAllocated: r.DropNonAllocated, Unnamed: r.DropUnnamed,
			SymbolGlobs: r.DropSymbols, NoDatasec: r.NoDatasec, KeepDuplicate: r.KeepDuplicates}
	}
	return list
}

// onFunc returns the hook OnFunc in the form that package funcs takes; nil if it is not set.
func (h *Hooks) onFunc() func(funcs.Decision) {
	if h.OnFunc == nil {
		return nil
	}
	return func(d funcs.Decision) { h.OnFunc(FuncDecision{d.Name, FuncReason(d.Reason), d.States, d.Differ}) }
}

// onVars passes the decisions of package vars to the hook OnVar.
func (h *Hooks) onVars(list []vars.Decision) {
	for _, d := range list {
		h.OnVar(VarDecision{d.Name, d.Section, d.Addr, d.Offset, d.Size, VarReason(d.Reason)})
	}
}
