package encoder

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// A FuncDecision is what became of the function of one name: of all its copies in all units, which give one FUNC or none.
type FuncDecision struct {
	Name   string     // without what the compiler appends, such as ".isra.0"
	Reason FuncReason // FuncKept if there is a FUNC
	States int        // how many subprograms of that name were found
	Differ string     // in what the prototypes of two of them differ first, in pahole's words; empty if they agree
}

// A FuncReason says why a function of the symbol table has no FUNC.
type FuncReason uint8

// The reasons why a function has no FUNC, in the order in which they are asked; the last one that applies counts.
const (
	FuncKept                  FuncReason = iota // it has one
	FuncUnexpectedRegister                      // a parameter is not in the register that the calling convention has for it
	FuncInconsistentPrototype                   // two units disagree about its prototype
	FuncUncertainLocation                       // the DWARF does not say for sure where a parameter is
	FuncReorderedParameters                     // the compiler has changed the order of parameters
	FuncOptimizedParameters                     // the compiler has removed a parameter
	FuncAmbiguousAddress                        // several symbols of the name have different addresses
	NumFuncReasons
)

// String says the reason in pahole's words, such as "ambiguous address".
func (r FuncReason) String() string {
	if r >= NumFuncReasons {
		return fmt.Sprintf("reason(%d)", uint8(r))
	}
	return funcs.Reason(r).String()
}

// Rule is the name of the rule that the function does not keep, such as "unambiguous-address"; "kept" if it keeps all.
func (r FuncReason) Rule() string {
	if r >= NumFuncReasons {
		return ""
	}
	return funcs.Reason(r).Rule()
}

// A VarDecision is what became of one variable of one unit.
type VarDecision struct {
	Name    string
	Section string    // that the variable lies in; empty where it lies in none
	Addr    uint64    // as DWARF has it
	Offset  uint64    // in bytes, from the start of the section
	Size    uint64    // in bytes
	Reason  VarReason // VarKept if it is a VAR
}

// A VarReason says why a variable is not a VAR.
type VarReason uint8

// The reasons why a variable is not a VAR, in the order in which they are asked; the first one that applies counts.
const (
	VarKept         VarReason = iota // it is one
	VarNotTopLevel                   // it is declared inside a function or namespace
	VarArtificial                    // the compiler made it
	VarOtherSection                  // another section covers its address, too, and comes first
	VarUnnamed                       // it has no name
	VarNotAVariable                  // its name is one that the kernel's build reserves for other things
	VarNoSymbol                      // it owns no storage in the section: no symbol is at its address
	VarZeroAddress                   // the value of its symbol is 0
	VarExcluded                      // SectionRule.DropSymbols has its name
	VarInvalidName                   // its name is not valid in BTF
	VarVoidType                      // its type is void
	VarZeroSize                      // its size is 0, or over 4 GiB
	VarOffsetTooBig                  // its offset in the section is over 4 GiB
	VarDuplicate                     // a strong definition of its offset exists
	NumVarReasons
)

// String says the reason in words, such as "owns no storage in the section".
func (r VarReason) String() string {
	if r >= NumVarReasons {
		return fmt.Sprintf("reason(%d)", uint8(r))
	}
	return vars.Reason(r).String()
}

// Rule is the name of the rule behind the reason, such as "non-allocated"; "kept" if the variable is a VAR. Where a manifest has a word
// for it, it is that word.
func (r VarReason) Rule() string {
	if r >= NumVarReasons {
		return ""
	}
	return vars.Reason(r).Rule()
}

// A SectionRule says which variables of the sections that it is for become VARs, and whether a DATASEC lists them. Of several rules
// the first one that matches a section's name counts for the section.
type SectionRule struct {
	Section          string   // name of the section, or a pattern as path.Match takes it
	DropZeroAddress  bool     // leave out symbols whose value is 0, in a section that starts at 0
	DropNonAllocated bool     // leave out what owns no storage in the section
	DropUnnamed      bool     // leave out what has no name; otherwise that is an error
	DropSymbols      []string // leave out symbols of these names, or that match these patterns
	NoDatasec        bool     // make VARs, and no DATASEC
	KeepDuplicates   bool     // keep weak and strong definitions of one offset, as pahole does; otherwise the strong one stays
}

// DefaultSections are the rules of Options that have none: per-CPU variables, but those at address 0 and those without storage.
func DefaultSections() []SectionRule {
	var list []SectionRule
	for _, r := range vars.DefaultRules() {
		list = append(list, SectionRule{Section: r.Section, DropZeroAddress: r.ZeroAddress, DropNonAllocated: r.NonAllocated, DropUnnamed: r.Unnamed,
			DropSymbols: r.SymbolGlobs, NoDatasec: r.NoDatasec, KeepDuplicates: r.KeepDuplicate})
	}
	return list
}

// varRules are the section rules in the form that package vars takes.
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

// onFunc is the hook of that name for package funcs; nil if nobody listens.
func (h *Hooks) onFunc() func(funcs.Decision) {
	if h.OnFunc == nil {
		return nil
	}
	return func(d funcs.Decision) { h.OnFunc(FuncDecision{d.Name, FuncReason(d.Reason), d.States, d.Differ}) }
}

// onVars gives the decisions of package vars to the hook.
func (h *Hooks) onVars(list []vars.Decision) {
	for _, d := range list {
		h.OnVar(VarDecision{d.Name, d.Section, d.Addr, d.Offset, d.Size, VarReason(d.Reason)})
	}
}
