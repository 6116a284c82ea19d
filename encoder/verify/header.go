package verify

import (
	"cmp"
	"slices"
)

// Offsets of the header's fields.
const (
	atMagic     = 0
	atVersion   = 2
	atFlags     = 3
	atLength    = 4
	atTypeOff   = 8
	atTypeLen   = 12
	atStrOff    = 16
	atStrLen    = 20
	atLayoutOff = 24
	atLayoutLen = 28
	knownHeader = 32 // the longest header of all generations
)

// A section is a part of the blob after the header, and the offset of the header field that gives its place.
type section struct {
	off, len uint32
	field    uint64
}

// header makes the checks of rule 05/3, in the kernel's order, and finds the sections.
func (c *checker) header(base *checker) *Refusal {
	if base != nil {
		c.firstID = base.firstID + uint32(len(base.recs))
		c.strStart = uint32(len(base.strs.strs))
		c.baseStrs = &base.strs
	}
	user, split := paths[c.path].user, paths[c.path].split
	if user && len(c.blob) > maxLoad {
		return c.refuse(fault{phrase: tooBig, line: silent})
	}
	if len(c.blob) < atTypeOff {
		return c.bare("hdr_len not found", uint64(len(c.blob)))
	}
	length := order(c.blob[atLength:], c.big)
	if uint64(len(c.blob)) < uint64(length) {
		return c.bare("btf_header not found", atLength)
	}
	for at := c.gen.header; at < length; at++ {
		if c.blob[at] != 0 {
			return c.bare("Unsupported btf_header", uint64(at))
		}
	}
	var h [knownHeader]byte // fields that a short header lacks are zero
	copy(h[:c.gen.header], c.blob[:length])
	word := func(at int) uint32 { return order(h[at:], c.big) }
	number := word(atMagic)
	if c.big {
		number >>= 16
	}
	switch {
	case number&0xffff != magic:
		return c.bare("Invalid magic", atMagic)
	case h[atVersion] != 1:
		return c.bare("Unsupported version", atVersion)
	case h[atFlags] != 0:
		return c.bare("Unsupported flags", atFlags)
	case !split && len(c.blob) == int(length):
		return c.bare("No data", uint64(length))
	}
	types := section{word(atTypeOff), word(atTypeLen), atTypeOff}
	strs := section{word(atStrOff), word(atStrLen), atStrOff}
	all := []section{types, strs}
	layout := section{word(atLayoutOff), word(atLayoutLen), atLayoutOff}
	hasLayout := length >= knownHeader && layout.len != 0
	if hasLayout {
		all = append(all, layout)
	}
	data := c.blob[length:]
	if r := c.tile(all, uint32(len(data))); r != nil {
		return r
	}
	if length < c.gen.stringsLast && strs.off+strs.len != uint32(len(data)) {
		return c.bare("String section is not at the end", atStrOff)
	}
	c.strs.strs = data[strs.off : strs.off+strs.len]
	if r := c.checkStrings(split, uint64(length)+uint64(strs.off)); r != nil {
		return r
	}
	if user && hasLayout {
		if r := c.checkLayout(layout); r != nil {
			return r
		}
	}
	if user {
		if types.off%4 != 0 {
			return c.bare("Unaligned type_off", atTypeOff)
		}
		if types.len == 0 {
			return c.bare("No type found", atTypeLen)
		}
	}
	c.types = data[types.off : types.off+types.len]
	c.typesAt = length + types.off
	return nil
}

// tile checks that the sections cover the bytes after the header without gaps and overlaps.
func (c *checker) tile(all []section, room uint32) *Refusal {
	// The kernel compares the signed 32-bit difference, so an offset of 2 GiB or more sorts to the front.
	slices.SortStableFunc(all, func(a, b section) int {
		return int(cmp.Or(int32(a.off-b.off), int32(a.len-b.len)))
	})
	var total uint32
	for _, s := range all {
		switch {
		case s.off > room:
			return c.bare("Invalid section offset", s.field)
		case total < s.off:
			return c.bare("Unsupported section found", s.field)
		case total > s.off:
			return c.bare("Section overlap found", s.field)
		case s.len > room-total:
			return c.bare("Total section length too long", s.field+4)
		}
		total += s.len
	}
	if total != room {
		return c.bare("Unsupported section found", uint64(len(c.blob))-uint64(room-total))
	}
	return nil
}

func (c *checker) checkStrings(split bool, at uint64) *Refusal {
	s := c.strs.strs
	switch {
	case split && len(s) == 0:
		return nil
	case len(s) == 0 || len(s) > maxStrings || s[len(s)-1] != 0:
		return c.bare("Invalid string section", at+uint64(max(len(s), 1))-1)
	case !split && s[0] != 0:
		return c.bare("Invalid string section", at)
	}
	return nil
}

// checkLayout checks the place of the layout section. No kernel reads its contents.
func (c *checker) checkLayout(s section) *Refusal {
	switch {
	case s.off%4 != 0:
		return c.bare("Unaligned layout_off", atLayoutOff)
	case s.len < entrySize:
		return c.bare("Layout section is too small", atLayoutLen)
	case s.len%entrySize != 0:
		return c.bare("layout_len is not multiple of 4", atLayoutLen)
	}
	return nil // tile has checked that it ends inside the data
}
