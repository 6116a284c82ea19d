package dedup

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// tagSets remember for every CU which names of structs, unions and enums it mentions, as sparse bit sets by tag number: only
// words that are not zero are stored.
type tagSets struct {
	start  []uint32 // by unit: its first word
	at     []uint16 // which word of the set
	words  []uint64
	cur    []uint64 // the set of the current unit
	marked []uint32 // which of its words are not zero
}

// maxWords is the highest number of words in a set. No kernel has that many names.
const maxWords = 1 << 16

// full reports whether there are more names than the sets can hold.
func (s *tagSets) full() bool { return len(s.cur) > maxWords }

// mark adds a tag to the set of the current unit, and reports whether it was in it.
func (s *tagSets) mark(tag uint32) (was bool) {
	for uint32(len(s.cur)) <= tag/64 {
		s.cur = append(s.cur, 0)
	}
	word := &s.cur[tag/64]
	if *word == 0 {
		s.marked = append(s.marked, tag/64)
	}
	was = *word>>(tag%64)&1 != 0
	*word |= 1 << (tag % 64)
	return was
}

// finish ends the current unit.
func (s *tagSets) finish() {
	s.start = append(s.start, uint32(len(s.words)))
	for _, i := range s.marked {
		s.at, s.words = append(s.at, uint16(i)), append(s.words, s.cur[i])
		s.cur[i] = 0
	}
	s.marked = s.marked[:0]
}

// with lists the units that mention at least one of the wanted tags.
func (s *tagSets) with(wanted []uint64) []int {
	var units []int
	for u := range s.start {
		end := uint32(len(s.words))
		if u+1 < len(s.start) {
			end = s.start[u+1]
		}
		for i := s.start[u]; i < end; i++ {
			if at := int(s.at[i]); at < len(wanted) && wanted[at]&s.words[i] != 0 {
				units = append(units, u)
				break
			}
		}
	}
	return units
}

// shared returns the set of tags that more than one unit mentions.
func (s *tagSets) shared() []uint64 {
	once, more := make([]uint64, len(s.cur)), make([]uint64, len(s.cur))
	for i, w := range s.words {
		at := s.at[i]
		more[at] |= once[at] & w
		once[at] |= w
	}
	return more
}

// Replay repeats the decisions about an earlier unit. first is the id of the first type of the unit that went in. The Decision is
// the same, without the list of added types. Call it only after all units have been decided, and when all references in t are
// local ids.
func (s *ClassTable) Replay(t *btf.Table, named []nominal.LocalID, dies []nominal.Entry, first btf.ID) Decision {
	n := t.Len() + 1
	s.ids, s.isNew, s.reach, s.added = resize(s.ids, n), resize(s.isNew, n), resize(s.reach, n), s.added[:0]
	s.ids[0], s.isNew[0] = 0, false
	s.findDeviants(t, named, dies)
	if len(s.deviant) != 0 {
		s.propagate(t)
	}
	at := uint32(first)
	for id := 1; id < n; id++ {
		own := s.addAll || len(s.deviant) != 0 && s.reach[id]
		if !own {
			s.ids[id] = s.classes[s.find(dies[id].A, dies[id].B)].id
			// The first type of a class went in. If the class first occurs in this unit and is walked, all its types went in.
			own = s.ids[id] == at || s.ids[id] >= uint32(first) && s.ids[id] < at && walked.Has(t.At(btf.ID(id)).Kind())
		}
		if s.isNew[id] = own; own {
			s.ids[id] = at
			at++
		}
	}
	return s.decision()
}

// findDeviants lists the definitions of a unit that differ from the first of their name, or that share their name with another
// type of the unit.
func (s *ClassTable) findDeviants(t *btf.Table, named []nominal.LocalID, dies []nominal.Entry) {
	s.deviant, s.addAll = s.deviant[:0], false
	s.round++
	for _, id := range named {
		r := t.At(btf.ID(id))
		g, declares := nominal.GroupOf(r)
		if n, ok := s.findTag(r[0], g); ok && s.deviates(&s.tags[n], dies[id].Hash(), declares) {
			s.tags[n].several = true
			s.deviant = append(s.deviant, id)
		}
	}
}
