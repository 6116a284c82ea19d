package batch

import (
	delf "debug/elf"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/golden"
)

// recordDecisions records what the encoder decides about functions and variables, if the BTF is compared with that of the image.
func (t *target) recordDecisions(enc *encoder.Encoder) {
	if t.Check.Policy != config.OwnBTF {
		return
	}
	t.decisions = map[string]encoder.FuncDecision{}
	next := enc.OnFunc
	t.omittedVars = map[string]string{}
	nextVar := enc.OnVar
	enc.OnVar = func(d encoder.VarDecision) {
		if d.Reason != encoder.VarKept {
			t.omittedVars[d.Name] = d.Reason.Rule()
		}
		if nextVar != nil {
			nextVar(d)
		}
	}
	enc.OnFunc = func(d encoder.FuncDecision) {
		t.decisions[d.Name] = d
		if next != nil {
			next(d)
		}
	}
}

// evidence collects what the image says about its functions and variables.
func (t *target) evidence() (*golden.Evidence, error) {
	e := &golden.Evidence{
		Omitted: func(name string) string {
			if d, ok := t.decisions[name]; ok && d.Reason != encoder.FuncKept {
				return d.Reason.Rule()
			}
			return ""
		},
		OmittedVar:  func(name string) string { return t.omittedVars[name] },
		Subprograms: func(name string) int { return t.decisions[name].States },
	}
	syms, err := t.image.Symbols()
	if err != nil || syms == nil {
		return e, err
	}
	var table funcTable
	atZero := map[string]bool{}
	var start, stop uint64
	err = syms.Each(func(_ int, s *elf.Symbol) {
		name := string(syms.Name(s))
		switch {
		case name == "__start_mcount_loc":
			start = s.Value
		case name == "__stop_mcount_loc":
			stop = s.Value
		case s.Type() == delf.STT_FUNC:
			table.add(name, s)
		case s.Type() == delf.STT_OBJECT && s.Value == 0 && t.image.Type != delf.ET_REL:
			atZero[name] = true
		}
	})
	if err != nil {
		return nil, err
	}
	e.AtZero = func(name string) bool { return atZero[name] }
	e.OnlyCopies = table.onlyCopies
	if traced := tracedAddresses(t.image, start, stop); traced != nil {
		e.Untraced = func(name string) bool { return table.untraced(name, traced) }
	}
	return e, nil
}

// A funcTable has the functions of a symbol table by name, without suffixes of the compiler.
type funcTable struct {
	byName map[string][]funcSymbol
}

type funcSymbol struct {
	suffix      string // "isra.0"
	start, size uint64
}

func (f *funcTable) add(name string, s *elf.Symbol) {
	if f.byName == nil {
		f.byName = map[string][]funcSymbol{}
	}
	name, suffix, _ := strings.Cut(name, ".")
	f.byName[name] = append(f.byName[name], funcSymbol{suffix, s.Value, s.Size})
}

// onlyCopies reports whether there are symbols of a function, all of them with a suffix, and at least one with one of these, if there are any.
func (f *funcTable) onlyCopies(name string, suffixes ...string) bool {
	list := f.byName[name]
	if len(list) == 0 || slices.ContainsFunc(list, func(s funcSymbol) bool { return s.suffix == "" }) {
		return false
	}
	return suffixes == nil || slices.ContainsFunc(list, func(s funcSymbol) bool {
		kind, _, _ := strings.Cut(s.suffix, ".")
		return slices.Contains(suffixes, kind)
	})
}

// untraced reports whether a function exists and no copy of it has a traced address.
func (f *funcTable) untraced(name string, traced []uint64) bool {
	list := f.byName[name]
	for _, s := range list {
		i, _ := slices.BinarySearch(traced, s.start)
		if i < len(traced) && traced[i] < s.start+max(s.size, 1) {
			return false
		}
	}
	return len(list) > 0
}

// tracedAddresses returns the addresses between two symbols, at which ftrace can trace functions, in ascending order. It returns nil if the image
// has no such table, or if it is filled in only when the kernel starts.
func tracedAddresses(f *elf.File, start, stop uint64) []uint64 {
	size := uint64(f.AddrSize())
	if start == 0 || stop <= start || (stop-start)%size != 0 {
		return nil
	}
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Type == delf.SHT_NOBITS || s.Addr == 0 || start < s.Addr || stop > s.Addr+s.Size {
			continue
		}
		data, err := f.Data(s)
		if err != nil || uint64(len(data)) < stop-s.Addr {
			return nil
		}
		data = data[start-s.Addr : stop-s.Addr]
		list := make([]uint64, 0, uint64(len(data))/size)
		for ; len(data) > 0; data = data[size:] {
			if size == 4 {
				list = append(list, uint64(f.Order.Uint32(data)))
			} else {
				list = append(list, f.Order.Uint64(data))
			}
		}
		slices.Sort(list)
		if list[len(list)/2] == 0 { // relocations that are applied later
			return nil
		}
		return list
	}
	return nil
}
