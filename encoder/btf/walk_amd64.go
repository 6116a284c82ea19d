//go:build amd64 && !purego

package btf

import (
	"encoding/binary"
	"slices"
)

// In walk, a processor mostly waits, or has guessed wrong whether a record has elements. So four lanes take turns, without a branch. Each
// begins at a place where a record seems to begin, and must arrive exactly where the next one began, which shows that this was right. When a lane arrives,
// it takes half of what is left of another.

// A lane goes from record to record.
type lane struct {
	start int // index in the words of its first record
	at    int // that of the next one
	end   int // where it must arrive
	to    int // index in the lengths of that of the next record; it begins with start/recordWords, so that lanes do not meet
}

const (
	severalLanes = 1 << 12 // number of words from which on lanes take less time
	shortLane    = 1 << 10 // number of words of a lane that is not divided
	mostLanes    = 64
)

// walkFast is walk, which goes over all types of a base for each module. TestWalk compares the two.
func (o *Outline) walkFast() (count, end int) {
	limit := len(o.words) - recordWords + 1
	if limit > severalLanes {
		if count, end, ok := o.walkInLanes(limit); ok {
			return count, end
		}
		clear(o.lengths)
	}
	return o.walk()
}

// walkInLanes is walk for records that begin before a limit. It is not ok if a lane did not arrive where it should, or if a record is cut short.
func (o *Outline) walkInLanes(limit int) (count, end int, ok bool) {
	var lanes [4]lane
	for k := range lanes {
		at := 0
		if k > 0 {
			if at = o.seems(k * limit / len(lanes)); at <= lanes[k-1].start {
				return 0, 0, false
			}
			lanes[k-1].end = at
		}
		lanes[k] = lane{start: at, at: at, end: limit, to: at / recordWords}
	}
	all := make([]lane, 0, mostLanes)
	for {
		walkLanes(&o.words[0], &o.table, &o.lengths[0], &lanes)
		arrived, longest := 0, 0
		for k := range lanes {
			if lanes[k].at >= lanes[k].end {
				arrived = k
			}
			if lanes[k].end-lanes[k].at > lanes[longest].end-lanes[longest].at {
				longest = k
			}
		}
		l := &lanes[longest]
		middle := 0
		if len(all)+len(lanes) < mostLanes && l.end-l.at > shortLane {
			middle = o.seems((l.at + l.end) / 2)
		}
		if middle == 0 || middle >= l.end {
			break
		}
		all = append(all, lanes[arrived])
		lanes[arrived] = lane{start: middle, at: middle, end: l.end, to: middle / recordWords}
		l.end = middle
	}
	for k := range lanes {
		o.finish(&lanes[k])
	}
	all = append(all, lanes[:]...)
	slices.SortFunc(all, func(a, b lane) int { return a.start - b.start })
	for i := range all {
		if l := &all[i]; l.at != l.end && l.end != limit || l.at > len(o.words) {
			return 0, 0, false
		}
	}
	for _, l := range all {
		count += copy(o.lengths[count:], o.lengths[l.start/recordWords:l.to])
		end = l.at
	}
	clear(o.lengths[count : count+blockLen])
	o.place(count)
	return count, end, true
}

// finish makes a lane arrive.
func (o *Outline) finish(l *lane) {
	for l.at < l.end {
		length := o.length(o.words[l.at+1])
		if o.lengths[l.to] = uint8(length); length > longest {
			o.lengths[l.to] = Untold
		}
		l.at += length
		l.to++
	}
}

// enough is the number of records in a row that show where a record begins. In a few places where none does, one or two seem to follow.
const enough = 8

// seems returns an index in the words, from some index on, where a record seems to begin, or 0.
func (o *Outline) seems(from int) int {
	for at := from; at < min(from+severalLanes, len(o.words)); at++ {
		if o.seemsAt(at) {
			return at
		}
	}
	return 0
}

// seemsAt reports whether some records in a row seem to begin at an index in the words.
func (o *Outline) seemsAt(at int) bool {
	for range enough {
		if at >= len(o.words)-1 {
			return false
		}
		info := o.words[at+1]
		k := Kind(info >> 24 & 0x7f)
		if k == 0 || k >= NumKinds || info&0xffffff != 0 && shapes[k].Each == 0 && k != KindFunc {
			return false
		}
		at += o.length(info)
	}
	return true
}

// place sets the places of the blocks, given the lengths of a number of records.
func (o *Outline) place(count int) {
	at := uint32(0)
	blocks, lengths := o.blocks[:count/blockLen+1], o.lengths
	for b := range blocks {
		blocks[b] = at
		eight := binary.LittleEndian.Uint64(lengths)
		if lengths = lengths[blockLen:]; (eight-lowest)&^eight&highest != 0 { // a byte is 0
			at = o.placeUntold(b, count)
		} else {
			at += sum(eight)
		}
	}
}

// placeUntold marks a block with a length that is untold, and returns where it ends. The last block, which may have fewer records, need not have any.
func (o *Outline) placeUntold(b, count int) (end uint32) {
	end = o.blocks[b]
	for i := b * blockLen; i < min((b+1)*blockLen, count); i++ {
		if end += uint32(o.length(o.words[end+1])); o.lengths[i] == Untold {
			o.blocks[b] |= hasUntold
		}
	}
	return end
}

// The lowest, and the highest bit of each byte of a word.
const (
	lowest  = 0x0101010101010101
	highest = 0x8080808080808080
)

// walkLanes makes the lanes go on until one arrives. Each has at least one record before its end.
//
//go:noescape
func walkLanes(words *uint32, table *lengthTable, lengths *uint8, lanes *[4]lane)
