package funcs

import (
	"debug/elf"
	"math"

	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// peerConventions is rule 01/9.1. On machines where pahole knows only the number of argument registers, such as riscv64 and ppc64le,
// it loses functions compiled by clang (rule 01/9.5). On 32-bit ARM it assumes eight argument registers instead of four, and treats
// arguments in even pairs as misplaced.
var peerConventions = map[elf.Machine]convention{
	elf.EM_X86_64:  {registers: 6, dwarf: x86Registers},
	elf.EM_AARCH64: {registers: 8, dwarf: from0},
	elf.EM_ARM:     {registers: 8, dwarf: from0},
	elf.EM_S390:    {registers: 5, dwarf: s390Registers, oneOnly: true},
	elf.EM_MIPS:    {registers: 8},
	elf.EM_PPC:     {registers: 8},
	elf.EM_PPC64:   {registers: 8},
	elf.EM_RISCV:   {registers: 8},
	elf.EM_ARC:     {registers: 8},
	elf.EM_SPARC:   {registers: 6},
	elf.EM_SPARCV9: {registers: 6},
}

// undefinedCounts is rule 02/5.1: an undefined symbol counts as a function of the image.
func (o *Options) undefinedCounts() bool { return o.Peer.Has(rules.UndefinedCounts) }

// lastIDs is rule 02/5.7: pahole reads the last of several .BTF_ids sections.
func (o *Options) lastIDs() bool { return o.Peer.Has(rules.LastIDs) }

// address is rule 02/5.6: the address of a symbol. In a relocatable file, this is its address in the layout, which DWARF uses as well.
// pahole uses the raw value, which is relative to the section and therefore never equals an address in DWARF.
func (t *Table) address(f *image.File, s *image.Symbol) uint64 {
	if t.opt.Peer.Has(rules.Address) || uint64(s.Section) >= uint64(len(f.Sections)) {
		return s.Value
	}
	sec := &f.Sections[s.Section]
	return s.Value - f.SymbolBase(sec) + sec.Addr
}

// peerAmbiguous is rule 02/5.1: each value of a base name is compared with the previous one, and a previous value of 0 counts as unset.
// In relocatable files, values are relative to their sections, but the sections are not compared.
func peerAmbiguous(first uint64, rest []symbol) bool {
	prev := first
	for _, s := range rest {
		if prev != 0 && s.value != prev {
			return true
		}
		prev = s.value
	}
	return false
}

// lastNeverAmbiguous is rule 02/5.1: pahole marks a base name as ambiguous when it reaches the next one, so it never marks the last.
func (t *Table) lastNeverAmbiguous(last *entry) {
	if t.opt.Peer.Has(rules.LastNeverAmbiguous) {
		last.flags &^= ambiguous
	}
}

// memoryUse is rules 01/9.4 and 01/9.5: pahole assumes that the address of a parameter in memory takes a register, except in functions
// compiled by clang. In the profile default, the calling convention decides.
func (a *Analyzer) memoryUse(clang bool) int {
	if peer := a.peer.Has(rules.MemoryUse); peer && !clang || !peer && a.conv.address {
		return 1
	}
	return 0
}

// lostInMemory is rule 01/9.4.1d: a parameter in memory has no register, and counts as optimized away.
func (a *Analyzer) lostInMemory() bool { return a.peer.Has(rules.LostInMemory) }

// namedAfterMember is rule 01/9.4: if registers hold only one member of a parameter's struct, the parameter takes the member's name, even
// if the whole struct is passed and the parameter keeps its type. In the profile default, name and type always match.
func (a *Analyzer) namedAfterMember(f *facts, p *translate.Param) bool {
	return f.reduced != 0 && (a.peer.Has(rules.NamedAfterMember) || a.typeOf(f, p) == a.members[f.reduced-1].typ)
}

// flagsAtSymbol is rule 02/5.7: the flags of a kfunc are those of the pair at its symbol, even in a sorted set, where the pair
// belongs to another function.
func (s *IDSection) flagsAtSymbol(addr uint64) uint32 {
	flags, _ := s.word(addr + 4)
	return flags
}

// maxName is rule 02/4.6: longer parameter names and tags of functions are cut.
func (o *Options) maxName() int {
	if o.Peer.Has(rules.MaxName) {
		return 127
	}
	return math.MaxInt
}

// keepsNames is rule 05/6: kernels refuse BTF with a function whose name is not a C identifier. pahole writes such names unchanged. The
// profile default turns them into identifiers, like names of types.
func (o *Options) keepsNames() bool { return o.Peer.Has(rules.KeepsNames) }

func (c *Collector) identifier(name []byte, stats *Stats) []byte {
	if c.table.opt.keepsNames() || translate.IsIdentifier(name) {
		return name
	}
	stats.Renamed = append(stats.Renamed, string(name))
	return translate.Identifier(name)
}

// peerRuns is rule 02/5.4 for several images that have a function of one name. Instances are sorted by name, those with an address
// before those without, and consecutive instances of one image form a group. The abstract instances of a function therefore form
// their own group as soon as another image has an instance with an address. They are not compared with the function, and get their own FUNC.
func peerRuns(sameName []run) []run {
	if !sameName[0].c.table.opt.Peer.Has(rules.PeerRuns) {
		return sameName
	}
	var runs []run
	for _, placed := range []bool{true, false} {
		for _, r := range sameName {
			i := 0
			for i < len(r.states) && r.c.states[r.states[i]].addr != 0 {
				i++
			}
			part := run{r.c, r.entry, r.states[i:]}
			if placed {
				part.states = r.states[:i]
			}
			switch n := len(runs); {
			case len(part.states) == 0:
			case n > 0 && runs[n-1].c == r.c:
				runs[n-1].states = r.states
			default:
				runs = append(runs, part)
			}
		}
	}
	return runs
}
