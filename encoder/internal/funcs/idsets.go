package funcs

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// An IDSection is .BTF_ids: sets of pairs of a type id and flags. In the image that the linker writes, all ids are 0, and the
// pair of a function is at the function's own symbol. The kernel's build then fills in the ids and sorts every set by them, but
// it does not move the symbols, so they point to the pairs of other functions. Such a set is read by its ids, which belong to the
// BTF in the image.
type IDSection struct {
	f        *elf.File
	section  int // index
	data     []byte
	addr     uint64    // of the first byte, as symbols count it
	peer     rules.Set // Options.Peer
	implicit bool      // Options.ImplicitArgs
	sets     []idSet
	members  []idMember

	counted, uncounted uint64 // addresses of sets whose number of pairs is, and is not, filled in
	err                error  // describes the first damaged set

	next *IDSection // another section of that name; relocatable files can have several
}

// An idMember is a symbol that may be a member of a set.
type idMember struct {
	addr uint64
	name []byte // of the function
}

// An idSet is one set of kfuncs: two words, and pairs.
type idSet struct {
	from, to uint64 // within the section; pairs that belong to an earlier set are not part of this one
	pairs    uint64 // position of the first pair
	sorted   bool
	byName   map[string]uint32 // flags; nil if the functions of a sorted set are not known
	alike    uint32            // flags that every pair has
	any      uint32            // flags that any pair has
}

// word returns the word at an address.
func (s *IDSection) word(addr uint64) (uint32, bool) {
	if addr < s.addr || addr-s.addr > uint64(len(s.data)) || uint64(len(s.data))-(addr-s.addr) < 4 {
		return 0, false
	}
	return s.f.Order.Uint32(s.data[addr-s.addr:]), true
}

// checkSet checks a set. It starts with the number of its pairs, which is 0 until the kernel's build fills it in.
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

// Err returns what is wrong with the sets, after all symbols have been added.
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

// arrange sorts the sets and cuts them at the end of the section. Where sets overlap, the pairs belong to the first.
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

// setAt returns the set that contains an address, or nil.
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

// flags returns the flags of a function whose symbol is at an address in a set. If the set is sorted and its functions are not
// known, they are the flags that all its pairs have.
func (s *IDSection) flags(set *idSet, addr uint64, name []byte) uint32 {
	switch {
	case !set.sorted || s.peer.Has(rules.FlagsAtSymbol):
		return s.flagsAtSymbol(addr)
	case set.byName == nil:
		return set.alike
	}
	return set.byName[string(name)]
}

// implicitArgs reports whether a function of a set has implicit arguments. known is false if the set does not say.
func (s *IDSection) implicitArgs(set *idSet, addr uint64, name []byte) (implicit, known bool) {
	switch {
	case !set.sorted:
		return s.flagsAtSymbol(addr)&kfuncImplicitArgs != 0, true
	case set.byName == nil:
		return set.alike&kfuncImplicitArgs != 0, (set.alike^set.any)&kfuncImplicitArgs == 0
	}
	return set.byName[string(name)]&kfuncImplicitArgs != 0, true
}

// resolve finds out which sets are sorted, and to which functions their pairs belong.
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
				own = btf.New(s.f.Order, nil) // an empty object, in which no id is found
			}
		}
		set.byName = s.names(set, own)
	}
}

// OwnBTF returns the BTF in an image. It continues the image's distilled base, if there is one, otherwise base. It returns nil if
// there is no BTF that can be read.
func OwnBTF(f *elf.File, base *btf.Object) *btf.Object {
	if distilled := sectionBTF(f, btf.SectionBase, nil); distilled != nil {
		base = distilled
	}
	return sectionBTF(f, btf.SectionBTF, base)
}

// sectionBTF returns the BTF in a section, or nil if there is none that can be read.
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

// names returns the flags of a sorted set by function name. It returns nil if an id is not that of a FUNC, since the ids then
// belong to other BTF.
func (s *IDSection) names(set *idSet, own *btf.Object) map[string]uint32 {
	flags := make(map[string]uint32)
	for addr := set.pairs; addr+8 <= set.to; addr += 8 {
		id, _ := s.word(addr)
		if id == 0 {
			continue // the function has no BTF
		}
		r, ok := own.Record(btf.ID(id))
		if !ok || r.Kind() != btf.KindFunc {
			return nil
		}
		flags[own.Name(r.Name())], _ = s.word(addr + 4)
	}
	return flags
}
