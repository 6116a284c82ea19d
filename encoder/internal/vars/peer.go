package vars

import (
	"bytes"
	stdelf "debug/elf"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// peerHoldsVariables is rule 02/6.1.5: pahole does not check whether a section is loaded. A variable in a note, at an address that no
// other section has, is attributed to .debug_info if the address is low enough (rule 02/6.2).
func peerHoldsVariables(e *elf.Section) bool {
	return e.Type == stdelf.SHT_PROGBITS || e.Type == stdelf.SHT_NOBITS
}

// peerWants is rule 02/6.1.5: pahole encodes per-CPU variables and, with global_var, all variables. Sections have no individual rules.
func (o *Options) peerWants(e *elf.Section) bool {
	return o.All || o.PerCPU && e.Name == btf.SectionPerCPU
}

// peerRule is the rule that applies to every section.
var peerRule = &Rule{Section: "*", ZeroAddress: true, NonAllocated: true, Unnamed: true}

// judgePeer is rules 02/6.1.7 and 02/6.1.8: variables are left out by name. At offset 0, the section must have an OBJECT symbol of that
// name, even if it is elsewhere. pahole does not check whether a variable owns the storage at its address.
func (c *Collector) judgePeer(v *translate.Var, name []byte, sec *section) Reason {
	switch {
	case c.s.opt.Peer.Has(rules.NotVariables) && hasPeerPrefix(name):
		return NotAVariable
	case v.Addr == sec.elf.Addr && !c.s.objects.names[objectName{uint32(sec.elf.Index), string(name)}]:
		return NoSymbol
	}
	return Kept
}

// voidIsSizeZero is rule 02/6.1.10: pahole treats a variable of type void as one of size 0, which does not end the run.
func (o *Options) voidIsSizeZero() bool { return o.Peer.Has(rules.VoidIsSizeZero) }

// notVariables is rule 02/6.1.7: prefixes of names that are not variables.
var notVariables = [][]byte{[]byte("__UNIQUE_ID"), []byte("__tpstrtab_"), []byte("__exitcall_"), []byte("__gendwarfksyms_ptr_"),
	[]byte("__func_stack_frame_non_standard_")}

func hasPeerPrefix(name []byte) bool {
	for _, p := range notVariables {
		if bytes.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

const maxVarName = 128

// validName is rule 02/6.1.9: only the names of variables must be valid, and at most this long.
func (o *Options) validName(name []byte) bool {
	switch {
	case !o.Peer.Has(rules.ValidName):
		return true
	case len(name) == 0 || len(name) > maxVarName:
		return false
	}
	for i, c := range name {
		letter := c == '_' || c == '.' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// peerEntries is rules 02/6.1 and 02/6.4: all VARs of a section become entries, even several at one offset, which kernels refuse.
func (o *Options) peerEntries(infos []secinfo) {
	if o.Peer.Has(rules.PeerOrder) {
		slices.SortStableFunc(infos, peerOrder)
	} else {
		slices.SortStableFunc(infos, byOffset)
	}
}

// peerOrder is rule 02/6.4: offsets are compared by the sign of their 32-bit difference.
func peerOrder(a, b secinfo) int {
	switch d := int32(a.offset - b.offset); {
	case d < 0:
		return -1
	case d > 0:
		return 1
	}
	return 0
}
