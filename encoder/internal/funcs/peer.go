package funcs

import (
	"debug/elf"
	"math"

	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// peerConventions is rule 01/9.1. Where registers are counted but not known, as on riscv64 and ppc64le, functions that clang made
// are lost whole (rule 01/9.5); 32-bit ARM has four argument registers and not eight, and arguments in even pairs are taken for
// displaced.
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

// undefinedCounts is rule 02/5.1: a symbol that is defined elsewhere is a function of the image all the same.
func (o *Options) undefinedCounts() bool { return o.Peer.Has(rules.UndefinedCounts) }

// lastIDs is rule 02/5.7: of several sections .BTF_ids pahole reads the last one.
func (o *Options) lastIDs() bool { return o.Peer.Has(rules.LastIDs) }

// address is rule 02/5.6: where a symbol lies. In a relocatable file that is its place as laid out, with which DWARF agrees; pahole
// takes the value as it is, which counts from the section, so that it never meets an address of DWARF.
func (t *Table) address(f *image.File, s *image.Symbol) uint64 {
	if t.opt.Peer.Has(rules.Address) || uint64(s.Section) >= uint64(len(f.Sections)) {
		return s.Value
	}
	sec := &f.Sections[s.Section]
	return s.Value - f.SymbolBase(sec) + sec.Addr
}

// peerAmbiguous is rule 02/5.1: the values of one base name are compared each with the one before, and a previous value of 0
// counts as unset. In relocatable files values count from their section, whichever it is.
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

// lastNeverAmbiguous is rule 02/5.1: the mark is set when the next base name is reached, so the last one never gets it.
func (t *Table) lastNeverAmbiguous(last *entry) {
	if t.opt.Peer.Has(rules.LastNeverAmbiguous) {
		last.flags &^= ambiguous
	}
}

// memoryUse is rules 01/9.4 and 01/9.5: of a parameter in memory the address is thought to take a register, but none in functions
// of clang. Otherwise the calling convention says whether it does.
func (a *Analyzer) memoryUse(clang bool) int {
	if peer := a.peer.Has(rules.MemoryUse); peer && !clang || !peer && a.conv.address {
		return 1
	}
	return 0
}

// lostInMemory is rule 01/9.4.1d: a parameter in memory has no register, and counts as one that was optimized away.
func (a *Analyzer) lostInMemory() bool { return a.peer.Has(rules.LostInMemory) }

// namedAfterMember is rule 01/9.4: a parameter of whose struct registers hold one member alone takes the member's name, also
// where it turned out that the whole struct is passed and the parameter keeps its type. Otherwise name and type go together.
func (a *Analyzer) namedAfterMember(f *facts, p *translate.Param) bool {
	return f.reduced != 0 && (a.peer.Has(rules.NamedAfterMember) || p.Type == a.members[f.reduced-1].typ)
}

// flagsAtSymbol is rule 02/5.7: the flags of a kfunc are those of the pair at its symbol, also in a set that has been sorted,
// where that is another function's pair.
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

// keepsNames is rule 05/6: kernels refuse BTF with a function whose name is no identifier of C. pahole writes such names as they
// are; otherwise they are made identifiers, as those of types are.
func (o *Options) keepsNames() bool { return o.Peer.Has(rules.KeepsNames) }

func (c *Collector) identifier(name []byte, stats *Stats) []byte {
	if c.table.opt.keepsNames() || translate.IsIdentifier(name) {
		return name
	}
	stats.Renamed = append(stats.Renamed, string(name))
	return translate.Identifier(name)
}

// peerRuns is rule 02/5.4 where several images have a function of one name: states are sorted by name, those with an address
// before those without, and neighbours of one image are a group. So the abstract instances of a function are a group of their
// own as soon as another image has one with an address; they are not compared with the function, and get a FUNC too.
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
