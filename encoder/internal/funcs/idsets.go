package funcs

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// An IDSection is .BTF_ids: sets of pairs, a type id and flags. In an image as linked the ids are 0 and the pair of a function is
// at the function's own symbol. The kernel's build then fills the ids in and sorts every set by them, which leaves the symbols
// at pairs of other functions. Such a set is read by its ids: they are those of the BTF that is in the image.
type IDSection struct {
	f        *elf.File
	section  int // index
	data     []byte
	addr     uint64    // of the first byte, as symbols count
	peer     rules.Set // Options.Peer
	implicit bool      // Options.ImplicitArgs
	sets     []idSet
	members  []idMember

	counted, uncounted uint64 // addresses of sets whose number of pairs is filled in, and is not
	err                error  // what is wrong with the first set that is damaged

	next *IDSection // another section of that name; a relocatable file can have several
}

// An idMember is a symbol that could be a member of a set.
type idMember struct {
	addr uint64
	name []byte // of the function
}

// An idSet is one set of kfuncs: two words, and pairs.
type idSet struct {
	from, to uint64 // inside of the section; pairs that belong to a set that begins earlier are that one's
	pairs    uint64 // where the first one is
	sorted   bool
	byName   map[string]uint32 // flags; nil when the functions of a sorted set are not known
	alike    uint32            // flags that every pair has
	any      uint32            // flags that any pair has
}

// word is the word at an address.
func (s *IDSection) word(addr uint64) (uint32, bool) {
	if addr < s.addr || addr-s.addr > uint64(len(s.data)) || uint64(len(s.data))-(addr-s.addr) < 4 {
		return 0, false
	}
	return s.f.Order.Uint32(s.data[addr-s.addr:]), true
}

// checkSet tells what is wrong with a set: it starts with the number of its pairs, which is 0 until the kernel's build fills it in.
func (s *IDSection) checkSet(sym *elf.Symbol, name []byte) {
	n, ok := s.word(sym.Value)
	switch {
	case s.err != nil || sym.Size == 0:
		return
	case !ok || sym.Size > uint64(len(s.data))-(sym.Value-s.addr):
		s.damaged(sym.Value, "set %s of %d bytes reaches past the end of the section (%d bytes)", name, sym.Size, len(s.data))
	case n != 0 && uint64(n) != sym.Size/8-1:
		s.damaged(sym.Value, "set %s of %d bytes counts %d functions", name, sym.Size, n)
	case n != 0:
		s.counted = sym.Value
	case sym.Size > 8:
		s.uncounted = sym.Value
	}
}

func (s *IDSection) damaged(addr uint64, format string, args ...any) {
	s.err = &elf.FormatError{Section: btf.SectionIDs, Offset: addr - s.addr, Problem: fmt.Sprintf(format, args...)}
}

// Err tells what is wrong with the sets, once all symbols were added.
func (s *IDSection) Err() error {
	if s == nil {
		return nil
	}
	if s.err == nil && s.counted != 0 && s.uncounted != 0 {
		s.damaged(s.uncounted, "the functions of a set are not counted, and those of other sets are")
	}
	if s.err == nil {
		return s.next.Err()
	}
	return s.err
}

// arrange puts the sets in order, cuts them at the end of the section, and gives what several of them cover to the first.
func (s *IDSection) arrange() {
	slices.SortStableFunc(s.sets, func(a, b idSet) int { return cmp.Compare(a.from, b.from) })
	last := s.addr
	for i := range s.sets {
		set := &s.sets[i]
		if set.to < set.from { // past the end of all addresses
			set.to = ^uint64(0)
		}
		set.to = min(set.to, s.addr+uint64(len(s.data)))
		set.pairs = max(set.from+8, last)
		set.from = max(set.from, last)
		last = max(last, set.to)
	}
	s.sets = slices.DeleteFunc(s.sets, func(set idSet) bool { return set.from >= set.to })
}

// setAt is the set that an address lies in; nil when there is none.
func (s *IDSection) setAt(addr uint64) *idSet {
	i, found := slices.BinarySearchFunc(s.sets, addr, func(set idSet, addr uint64) int { return cmp.Compare(set.from, addr) })
	if !found {
		i--
	}
	if i < 0 || addr >= s.sets[i].to {
		return nil
	}
	return &s.sets[i]
}

// flags are those of a function whose symbol lies at an address of a set. Where the set is sorted and does not tell whose pair
// is whose, they are what all its functions have.
func (s *IDSection) flags(set *idSet, addr uint64, name []byte) uint32 {
	switch {
	case !set.sorted || s.peer.Has(rules.FlagsAtSymbol):
		return s.flagsAtSymbol(addr)
	case set.byName == nil:
		return set.alike
	}
	return set.byName[string(name)]
}

// implicitArgs reports whether a function of a set has implicit arguments; known is false where the set does not tell.
func (s *IDSection) implicitArgs(set *idSet, addr uint64, name []byte) (implicit, known bool) {
	switch {
	case !set.sorted:
		return s.flagsAtSymbol(addr)&kfuncImplicitArgs != 0, true
	case set.byName == nil:
		return set.alike&kfuncImplicitArgs != 0, (set.alike^set.any)&kfuncImplicitArgs == 0
	}
	return set.byName[string(name)]&kfuncImplicitArgs != 0, true
}

// resolve finds out which sets are sorted, and whose their pairs are.
func (s *IDSection) resolve(base *btf.Object) {
	s.arrange()
	var own *btf.Object
	for i := range s.sets {
		set := &s.sets[i]
		set.alike = ^uint32(0)
		for addr := set.pairs; addr+8 <= set.to; addr += 8 {
			id, _ := s.word(addr)
			flags, _ := s.word(addr + 4)
			set.sorted = set.sorted || id != 0
			set.alike &= flags
			set.any |= flags
		}
		if !set.sorted || s.peer.Has(rules.FlagsAtSymbol) && !s.implicit {
			continue
		}
		if own == nil {
			if own = OwnBTF(s.f, base); own == nil {
				own = btf.New(s.f.Order, nil) // in which nothing is found
			}
		}
		set.byName = s.names(set, own)
	}
}

// OwnBTF is the BTF that is in an image, continuing the distilled base that is there too, or else base; nil when there is none that can
// be read.
func OwnBTF(f *elf.File, base *btf.Object) *btf.Object {
	if distilled := sectionBTF(f, btf.SectionBase, nil); distilled != nil {
		base = distilled
	}
	return sectionBTF(f, btf.SectionBTF, base)
}

// sectionBTF is the BTF in a section; nil when there is none that can be read.
func sectionBTF(f *elf.File, name string, base *btf.Object) *btf.Object {
	sec := f.Section(name)
	if sec == nil || !sec.HasData() {
		return nil
	}
	data, err := f.Data(sec)
	if err != nil {
		return nil
	}
	o, err := btf.Parse(data, base)
	if err != nil {
		return nil
	}
	return o
}

// names are the flags of a sorted set by the function's name; nil when an id is not that of a FUNC, so that the BTF is not the
// one that the ids are of.
func (s *IDSection) names(set *idSet, own *btf.Object) map[string]uint32 {
	flags := make(map[string]uint32)
	for addr := set.pairs; addr+8 <= set.to; addr += 8 {
		id, _ := s.word(addr)
		if id == 0 {
			continue // a function that has no BTF
		}
		r, ok := own.Record(btf.ID(id))
		if !ok || r.Kind() != btf.KindFunc {
			return nil
		}
		flags[own.Name(r.Name())], _ = s.word(addr + 4)
	}
	return flags
}
