package elf

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// AsPeer is rule 01/1.2.3. pahole does not know the relocations of some machines, and misreads those of little-endian 64-bit MIPS, where
// r_info has its own layout. For their relocatable files it reads the debug sections as they are stored. A name is then the string at
// the stored offset, usually the first of .debug_str, and an address is the stored addend. pahole relocates other files in its own way, see
// peerRelocations. AsPeer returns a view of the file in which Data does the same and DebugSections finds the sections that pahole
// reads, by the rules in force. Close f, not the result.
func (f *File) AsPeer(peer rules.Set) *File {
	if !peer.Has(ofDebugSections) {
		return f
	}
	if f.Type == elf.ET_REL {
		_, _ = f.Symbols() // the view shares the table; reading it again gives the error
	}
	view := *f
	view.asPeer = peer
	view.peerWaiting()
	if f.Type != elf.ET_REL {
		return &view
	}
	if f.several && peer.Has(rules.PeerSkips) {
		view.base = slices.Clone(f.base)
		for i := range f.Sections {
			if f.Sections[i].Flags&elf.SHF_ALLOC == 0 {
				view.base[i] = 0
			}
		}
	}
	mips64el := f.Machine == elf.EM_MIPS && f.Is64 && f.Order == binary.ByteOrder(binary.LittleEndian)
	switch unknown := mips64el || !slices.Contains(peerMachines, f.Machine); {
	case unknown && peer.Has(rules.AsPeer):
		view.asStored = true
	case !unknown && peer.Has(rules.Relocate):
		view.peer = &peerRelocations{kinds: peerKinds(f.Machine, peer), stop: len(f.Sections)}
	}
	return &view
}

// ofDebugSections are the rules of this package.
const ofDebugSections = rules.AsPeer | rules.PeerKinds | rules.Relocate | rules.PeerSkips | rules.PeerWaiting

// peerSkips is rule 01/2.5: pahole does not read debug sections in a section group, which hold the type units of relocatable files. If
// several other sections have one name, it reads the first.
func (f *File) peerSkips(s *Section) bool {
	return f.asPeer.Has(rules.PeerSkips) && s.Flags&elf.SHF_GROUP != 0
}

// peerWaiting is rule 01/1.1: if any debug section does not wait for link-time optimisation, pahole ignores all sections that do.
func (f *File) peerWaiting() {
	f.waiting = f.waiting && !(f.asPeer.Has(rules.PeerWaiting) && slices.ContainsFunc(f.Sections, func(s Section) bool {
		name, waits := debugName(s.Name)
		return name != "" && !waits
	}))
}

// peerMachines lists the machines whose relocatable files pahole relocates.
var peerMachines = []elf.Machine{elf.EM_X86_64, elf.EM_386, elf.EM_ARM, elf.EM_AARCH64, elf.EM_S390, elf.EM_PPC64, elf.EM_PPC, elf.EM_MIPS,
	elf.EM_RISCV, elf.EM_LOONGARCH, elf.EM_68K, elf.EM_ALPHA, elf.EM_SPARC, elf.EM_SPARC32PLUS, elf.EM_SPARCV9, elf.EM_ARC_COMPACT2,
	elf.EM_QDSP6, emCSKY, elf.EM_IA_64, elf.EM_SH}

// peerKinds is rule 01/1.2.2: pahole ignores relocation types that it does not know. On SuperH it uses the addend of the entry,
// although the addend is in place.
func peerKinds(m elf.Machine, peer rules.Set) []relKind {
	kinds := kindsOf(m)
	if !peer.Has(rules.PeerKinds) {
		return kinds
	}
	for _, typ := range peerIgnores[m] {
		kinds[typ] = none
	}
	if m == elf.EM_SH {
		kinds[1] = set32
	}
	return kinds
}

var peerIgnores = map[elf.Machine][]uint32{
	elf.EM_PPC:       {3},
	elf.EM_PPC64:     {3},
	elf.EM_RISCV:     {33, 37, 52, 53, 60, 61},
	elf.EM_LOONGARCH: {47, 49, 52, 54, 105, 106, 107, 108},
	elf.EM_SH:        {33, 34},
}

// peerRelocations applies the relocations of a file as pahole does.
type peerRelocations struct {
	kinds []relKind

	mu   sync.Mutex
	seen int // sections before this index do not stop pahole, or stop is known
	stop int // the relocation section at which pahole stops, or the number of sections

	buf     []byte // for entries
	assumed int    // the relocation section that pahole is assumed to get past, because it is applied piece by piece; or 0
}

// Misread reports whether pahole omits relocations of the file or applies them incorrectly. Undamaged units may then look
// damaged.
func (f *File) Misread() bool {
	if f.asStored || f.peer == nil {
		return f.asStored
	}
	f.peer.mu.Lock()
	defer f.peer.mu.Unlock()
	return f.peer.stop < len(f.Sections) || f.Machine == elf.EM_SH
}

// relocate is rule 01/1.2.2: pahole relocates all sections of a file, including loaded ones, in the order of their relocation sections.
// It stops at the first relocation that it cannot apply, and leaves everything after it as it is stored. Reasons to stop are a symbol
// that is not in the table or whose section does not exist, an offset outside of the section, and a section that it cannot read. It
// skips relocations with an unknown type or an undefined symbol. relocate applies the relocations of one section to its bytes.
func (p *peerRelocations) relocate(f *File, rel *Section, b []byte, names *MergedStrings) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	reached, err := p.reaches(f, rel)
	if err != nil || !reached {
		return err
	}
	goesOn, err := p.walk(f, rel, uint64(len(b)), b, names)
	if !goesOn {
		p.stop = rel.Index
	}
	p.seen = max(p.seen, rel.Index+1)
	return err
}

// reaches reports whether pahole gets to a relocation section. mu must be held.
func (p *peerRelocations) reaches(f *File, rel *Section) (bool, error) {
	for ; p.seen < min(rel.Index, p.stop); p.seen++ {
		goesOn, err := p.passes(f, &f.Sections[p.seen])
		if err != nil {
			return false, err
		}
		if !goesOn {
			p.stop = p.seen
		}
	}
	return p.stop >= rel.Index, nil
}

// assume reports whether pahole gets to a relocation section, and from then on takes for granted that it also gets past it.
func (p *peerRelocations) assume(f *File, rel *Section) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reached, err := p.reaches(f, rel)
	p.assumed = rel.Index
	return reached, err
}

// passes reports whether pahole continues after a section.
func (p *peerRelocations) passes(f *File, rel *Section) (bool, error) {
	if rel.Type != elf.SHT_REL && rel.Type != elf.SHT_RELA || rel.Size == 0 || rel.Index == p.assumed {
		return true, nil
	}
	if uint64(rel.Info) >= uint64(len(f.Sections)) {
		return false, nil
	}
	size, err := f.dataSize(&f.Sections[rel.Info])
	if err != nil {
		return false, nil //nolint:nilerr // a section that it cannot read
	}
	if size == 0 {
		return true, nil
	}
	return p.walk(f, rel, size, nil, nil)
}

// walk checks the relocations of a section of the given size, and applies them if its bytes are given.
//
//nolint:gocognit // one flat list of what makes pahole stop or skip
func (p *peerRelocations) walk(f *File, rel *Section, size uint64, b []byte, names *MergedStrings) (goesOn bool, err error) {
	e, err := f.openEntries(rel)
	if err != nil {
		return false, err
	}
	if !e.whole() { // it cannot read the section, so it applies nothing of it
		return false, nil
	}
	e.buf = p.buf
	defer func() { p.buf = e.buf }()
	for {
		data, err := e.next()
		if errors.Is(err, input.ErrNoCodec) {
			return false, err
		}
		if err != nil || len(data)%e.size != 0 {
			return false, nil // a section that it cannot read
		}
		if len(data) == 0 {
			return true, nil
		}
		for ; len(data) > 0; data = data[e.size:] {
			n := 0
			if b != nil {
				n = e.plain(data, b, 0, p.kinds, names)
			} else {
				n = e.ignored(data, p.kinds)
			}
			if data = data[n:]; len(data) == 0 {
				break
			}
			r := e.parse(data)
			if uint64(r.kind) >= uint64(len(p.kinds)) || p.kinds[r.kind].op <= relNone {
				continue
			}
			k := p.kinds[r.kind]
			if uint64(r.sym) >= uint64(e.syms.n) {
				return false, nil
			}
			sym := e.symbol(r.sym)
			switch {
			case r.sym != 0 && sym.section == uint32(elf.SHN_UNDEF):
				continue
			case uint64(sym.section) >= uint64(len(f.Sections)) && !isSpecial(sym.section),
				r.off > size, uint64(k.width()) > size-r.off:
				return false, nil
			}
			if b != nil {
				e.apply(b[r.off:], k, &r, sym, names)
				e.last = r.off
			}
		}
	}
}

// peerSpecial are the indices of sections which the file need not have.
var peerSpecial = []elf.SectionIndex{elf.SHN_ABS, elf.SHN_COMMON, elf.SHN_XINDEX}

func isSpecial(section uint32) bool { return slices.Contains(peerSpecial, elf.SectionIndex(section)) }
