package cause

import (
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A section is a DATASEC of one side, with its variables by offset.
type section struct {
	id      btf.ID
	hash    uint64 // of its name
	size    uint32
	entries []entry
}

// An entry is a variable in a section.
type entry struct {
	id        btf.ID
	off, size uint32
}

// A place is the place of a variable in the sections of an object.
type place struct {
	section   uint64 // hash of the name; 0 if no section has it
	index     int32  // of the section in side.secs
	off, size uint32
	more      uint64 // hash of the variable's other places
}

// readSections lists the own sections and the places of variables in them.
func (s *side) readSections() {
	for id := s.o.First(); id < s.o.End(); id++ {
		r := s.o.At(id)
		if r.Kind() != btf.KindDatasec {
			continue
		}
		if s.place == nil {
			s.place = map[btf.ID]place{}
		}
		sec := section{id: id, hash: s.name(r.Name()) | 1, size: r[2]}
		for e := r[3:]; len(e) >= 3; e = e[3:] {
			if !s.isVar(e[0]) {
				continue
			}
			sec.entries = append(sec.entries, entry{btf.ID(e[0]), e[1], e[2]})
			p := s.place[btf.ID(e[0])]
			if p.section == 0 {
				p = place{section: sec.hash, index: int32(len(s.secs)), off: e[1], size: e[2]}
			} else {
				p.more = mix(mix(p.more, sec.hash), uint64(e[1])<<32|uint64(e[2]))
			}
			s.place[btf.ID(e[0])] = p
		}
		slices.SortStableFunc(sec.entries, func(a, b entry) int {
			if a.off != b.off {
				return less(a.off < b.off)
			}
			return 0
		})
		s.secs = append(s.secs, sec)
	}
}

// placeOf returns the place of an own variable.
func (s *side) placeOf(id btf.ID) place { return s.place[id] }
