package elf

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/rules"
)

// Debug sections are known by their plain names, such as ".debug_info". Two other names stand for the same section. The old way of
// compressing calls it ".zdebug_info". A compiler that leaves the code to link-time optimisation already writes the debug information of
// the types, as ".gnu.debuglto_.debug_info"; such a section waits for link-time optimisation, and the linker removes the prefix.
//
// A linked image has one section of each name. A relocatable file can have several: content that many files share, such as a unit with one
// type, is in a section group of its own, and the linker keeps one copy. Here they count as one section, in the order of the file, as the
// linker would join them. Symbols in them get addresses accordingly.

const waitingPrefix = ".gnu.debuglto_"

// debugName returns the plain name of a debug section without ".debug_", or "" for other sections. waits reports whether the section waits
// for link-time optimisation.
func debugName(s string) (name string, waits bool) {
	s, waits = strings.CutPrefix(s, waitingPrefix)
	if name, ok := strings.CutPrefix(s, ".debug_"); ok {
		return name, waits
	}
	name, ok := strings.CutPrefix(s, ".zdebug_")
	if !ok {
		return "", false
	}
	return name, waits
}

// DebugSections returns the sections in the file with a plain name, in the order of their indices. It returns sections that wait for
// link-time optimisation only if the file has no other debug information.
func (f *File) DebugSections(plain string) (list []*Section) {
	plain = strings.TrimPrefix(plain, ".debug_")
	for i := range f.Sections {
		s := &f.Sections[i]
		if name, waits := debugName(s.Name); name != plain || waits != f.waiting || !s.HasData() || f.peerSkips(s) {
			continue
		}
		if list = append(list, s); f.asPeer.Has(rules.PeerSkips) {
			break
		}
	}
	return list
}

// Waiting reports whether all debug information of the file waits for link-time optimisation.
func (f *File) Waiting() bool { return f.waiting }

// findWaiting sets the result of Waiting.
func (f *File) findWaiting() {
	found := false
	for i := range f.Sections {
		name, waits := debugName(f.Sections[i].Name)
		switch {
		case name != "info" && name != "types" || !f.Sections[i].HasData():
		case !waits:
			return
		default:
			found = true
		}
	}
	f.waiting = found
}

// layOutDebug gives offsets to the debug sections of a relocatable file: those of one name follow one another, the first at 0.
func (f *File) layOutDebug() {
	type key struct {
		name  string
		waits bool
	}
	last := make(map[key]int)
	for i := range f.Sections {
		s := &f.Sections[i]
		name, waits := debugName(s.Name)
		if name == "" || s.Flags&elf.SHF_ALLOC != 0 || !s.HasData() {
			continue
		}
		if j, ok := last[key{name, waits}]; ok {
			f.several = true
			f.base[i] = f.base[j] + f.joinedSize(&f.Sections[j])
		}
		last[key{name, waits}] = i
	}
}

// joinedSize returns the size of a section's contents. It returns 0 if the size cannot be read; reading the section then gives the error.
func (f *File) joinedSize(s *Section) uint64 {
	if s.Flags&elf.SHF_COMPRESSED == 0 && !strings.HasPrefix(s.Name, ".z") {
		return s.Size
	}
	n, err := f.dataSize(s)
	if err != nil {
		return 0
	}
	return n
}

// Joined reads all debug sections of one plain name, one after another, each like Data. In a linked image only sections of units can be
// joined: a reference to any other section does not say which section of that name it means.
func (f *File) Joined(secs []*Section) ([]byte, error) {
	if name, _ := debugName(secs[1].Name); f.Type != elf.ET_REL && name != "info" && name != "types" {
		return nil, &FormatError{secs[1].place(), 0, fmt.Sprintf("sections %d and %d have the same name, and references to it are ambiguous", secs[1].Index, secs[0].Index)}
	}
	if err := f.soundTogether(secs); err != nil {
		return nil, err
	}
	relocations, err := f.relocationsOf(secs)
	if err != nil {
		return nil, err
	}
	var all []byte
	left := f.size
	for _, s := range secs {
		b, err := f.unrelocated(s)
		if err != nil {
			return nil, err
		}
		if err := f.relocateBy(relocations[s.Index], s, b, &left, nil); err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	return all, nil
}

// relocationsOf returns the relocation sections of the given sections of a relocatable file, by section index.
func (f *File) relocationsOf(secs []*Section) (map[int][]*Section, error) {
	if f.Type != elf.ET_REL {
		return nil, nil
	}
	of := make(map[int][]*Section, len(secs))
	checked := ""
	for _, s := range secs {
		of[s.Index] = nil
		if s.Name == checked {
			continue
		}
		if err := f.checkRelocations(s); err != nil {
			return nil, err
		}
		checked = s.Name
	}
	for i := range f.Sections {
		rel := &f.Sections[i]
		target := int(rel.Info)
		if _, wanted := of[target]; wanted && rel.relocates(target) {
			of[target] = append(of[target], rel)
		}
	}
	return of, nil
}

// soundTogether is Sound for each of secs. It visits the sections of the file in the order of their offsets, each once.
func (f *File) soundTogether(secs []*Section) error {
	wanted := make(map[int]bool, len(secs))
	for _, s := range secs {
		if err := f.checkPlace(s); err != nil {
			return err
		}
		wanted[s.Index] = true
	}
	var all []*Section
	for i := range f.Sections {
		if s := &f.Sections[i]; s.HasData() && s.Size != 0 {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b *Section) int {
		switch {
		case a.Off < b.Off:
			return -1
		case a.Off > b.Off:
			return 1
		}
		return 0
	})
	var furthest *Section // of the sections before s, the one that ends last
	for _, s := range all {
		if furthest != nil && s.span().overlaps(furthest.span()) && (wanted[s.Index] || wanted[furthest.Index]) {
			a, b := s, furthest
			if !wanted[a.Index] {
				a, b = b, a
			}
			return overlap(a, b)
		}
		if furthest == nil || s.span().end > furthest.span().end {
			furthest = s
		}
	}
	return nil
}
