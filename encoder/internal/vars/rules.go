// Package vars decides which variables become VAR, and builds the DATASECs.
//
// Input: the section headers, the symbols, the section rules and, CU by CU, the translated variables. Output: VAR records after the
// types of their CU, and DATASEC records at the end. Never: the package does not read DWARF.
package vars

import (
	stdelf "debug/elf"
	"fmt"
	"path"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A Rule says which variables of the matching sections become VARs and DATASEC entries. The first rule that matches a section's
// name counts.
type Rule struct {
	Section       string   // a name, or a pattern for path.Match
	ZeroAddress   bool     // drop symbols whose value is 0 in a section that starts at 0
	NonAllocated  bool     // drop variables without storage in the section
	Unnamed       bool     // drop variables without a name, which are an error otherwise
	SymbolGlobs   []string // drop symbols with these names
	NoDatasec     bool     // VARs only
	KeepDuplicate bool     // keep weak and strong definitions of one offset, as pahole does
}

// DefaultRules returns the rules of a manifest without section rules.
func DefaultRules() []Rule {
	return []Rule{{Section: btf.SectionPerCPU, ZeroAddress: true, NonAllocated: true}}
}

// Options say which variables are wanted.
type Options struct {
	Peer   rules.Set // the rules of pahole that are in force
	PerCPU bool      // the feature var
	All    bool      // the feature global_var
	Force  bool      // the feature encode_force: skip variables that would be an error
	Rules  []Rule    // unused if pahole's rules decide which variables are wanted
}

// A section is one that variables can be in.
type section struct {
	elf    *elf.Section
	rule   *Rule // nil if no rule matches
	wanted bool
}

// Sections knows, for every address, which section a variable there belongs to.
type Sections struct {
	f       *elf.File
	list    []section
	opt     Options
	objects objects // OBJECT symbols of wanted sections
	wanted  []span  // addresses of wanted sections
	all     []span  // addresses of all sections that hold variables
}

// objects holds sets of symbols, one for each question. Addresses are those of the layout.
type objects struct {
	places map[place]bool      // of those with a size
	sizes  map[sizedPlace]bool // of all
	names  map[objectName]bool
	atZero map[objectName]bool // of those at address 0
}

func noObjects() objects {
	return objects{make(map[place]bool), make(map[sizedPlace]bool), make(map[objectName]bool), make(map[objectName]bool)}
}

// A place is an address in a section.
type place struct {
	addr    uint64
	section uint32
}

type sizedPlace struct {
	place
	size uint64
}

// An objectName is the name of a symbol in a section.
type objectName struct {
	section uint32
	name    string
}

// NewSections matches the rules with the sections of an image. Add takes its symbols, which the rules need.
func NewSections(f *elf.File, opt Options) (*Sections, error) {
	s := &Sections{f: f, opt: opt, objects: noObjects()}
	var wanted, all []span
	for _, r := range opt.Rules {
		for _, glob := range append([]string{r.Section}, r.SymbolGlobs...) {
			if _, err := path.Match(glob, ""); err != nil {
				return nil, fmt.Errorf("section rule %s: bad pattern %q", r.Section, glob)
			}
		}
	}
	for i := range f.Sections {
		e := &f.Sections[i]
		sec := section{elf: e}
		if s.holdsVariables(e) {
			sec.rule, sec.wanted = s.match(e)
			own := span{e.Addr, end(e), i}
			if all = append(all, own); sec.wanted {
				wanted = append(wanted, own)
			}
		}
		s.list = append(s.list, sec)
	}
	s.wanted, s.all = cover(wanted), cover(all)
	return s, nil
}

// end returns the address after a section, or the highest address if the section reaches past it.
func end(e *elf.Section) uint64 {
	if e.Addr+e.Size < e.Addr {
		return ^uint64(0)
	}
	return e.Addr + e.Size
}

// Of returns the same sections for the symbols of another image, which Add takes (see Collector.Judge).
func (s *Sections) Of(f *elf.File) *Sections {
	of := *s
	of.f, of.objects = f, noObjects()
	return &of
}

func (s *Sections) match(e *elf.Section) (*Rule, bool) {
	if s.opt.Peer.Has(rules.PeerWants) {
		return peerRule, s.opt.peerWants(e)
	}
	for i := range s.opt.Rules {
		r := &s.opt.Rules[i]
		if ok, _ := path.Match(r.Section, e.Name); ok {
			return r, s.opt.All || s.opt.PerCPU
		}
	}
	if s.opt.All {
		return &allRule, true
	}
	return nil, false
}

// allRule is the rule for sections that global_var adds and no rule names.
var allRule = Rule{Section: "*", NonAllocated: true}

// Add takes a symbol, and remembers objects in wanted sections.
func (s *Sections) Add(syms *elf.Symbols, y *elf.Symbol) {
	if y.Type() != stdelf.STT_OBJECT || uint64(y.Section) >= uint64(len(s.list)) || !s.list[y.Section].wanted {
		return
	}
	e := s.list[y.Section].elf
	at := y.Value - s.f.SymbolBase(e) + e.Addr
	here, name := place{at, y.Section}, objectName{y.Section, string(syms.Name(y))}
	s.objects.sizes[sizedPlace{here, y.Size}] = true
	s.objects.names[name] = true
	if y.Size > 0 {
		s.objects.places[here] = true
	}
	if at == 0 {
		s.objects.atZero[name] = true
	}
}

// Wanted reports whether a variable at that address can become a VAR.
func (s *Sections) Wanted(addr uint64) bool { return find(s.wanted, addr) != nil }

// WantedName reports whether the variables of a section of that name can become VARs.
func (s *Sections) WantedName(name string) bool {
	return slices.ContainsFunc(s.list, func(sec section) bool { return sec.wanted && sec.elf.Name == name })
}

// sectionOf returns the first section, by index, that contains an address (rule 02/6.1.5).
func (s *Sections) sectionOf(addr uint64) *section {
	if p := find(s.all, addr); p != nil {
		return &s.list[p.section]
	}
	return nil
}

// holdsVariables reports whether a section is memory of the running image. Notes count; thread-local sections do not, since their
// addresses are not where they are at run time.
func (s *Sections) holdsVariables(e *elf.Section) bool {
	if s.opt.Peer.Has(rules.PeerHoldsVariables) {
		return peerHoldsVariables(e)
	}
	return e.Flags&stdelf.SHF_ALLOC != 0 && e.Flags&stdelf.SHF_TLS == 0
}

// owned reports whether an OBJECT symbol of a section owns bytes at an address.
func (s *Sections) owned(e *elf.Section, addr uint64) bool {
	return s.objects.places[place{addr, uint32(e.Index)}]
}

// namedAtZero reports whether an OBJECT symbol of a section has a name and lies at address 0.
func (s *Sections) namedAtZero(e *elf.Section, name []byte) bool {
	return s.objects.atZero[objectName{uint32(e.Index), string(name)}]
}
