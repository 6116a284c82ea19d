package xz

import (
	"errors"
	"fmt"
)

// An xz block consists of LZMA2 chunks. LZMA2 data is literals and matches: repetitions of earlier output, which is called the dictionary. Decoders
// usually keep the dictionary in a separate window. Here a block is decoded as a whole, so the output itself serves as the dictionary. Nothing
// is copied through a window, and the distance of a match is checked against the output since the last reset of the dictionary.

const (
	numStates  = 12
	probBits   = 11
	probInit   = 1 << (probBits - 1)
	moveBits   = 5
	topValue   = 1 << 24
	posStates  = 16
	lenStates  = 4
	litProbs   = 0x300
	alignBits  = 4
	fullDist   = 14  // distance slots from here on have direct bits
	specials   = 115 // 1 + 128 distances - 14 slots
	minMatch   = 2
	maxLCLP    = 4
	maxPropsPB = 4
)

// lengths are the probabilities for the lengths of matches.
type lengths struct {
	choice, choice2 uint16
	low, mid        [posStates][8]uint16
	high            [256]uint16
}

// probs are the adaptive probabilities of LZMA, each for one kind of bit in one context.
type probs struct {
	isMatch, isRep0Long              [numStates][posStates]uint16
	isRep, isRepG0, isRepG1, isRepG2 [numStates]uint16
	slot                             [lenStates][64]uint16
	special                          [specials]uint16
	align                            [1 << alignBits]uint16
	match, rep                       lengths
	literal                          [litProbs << maxLCLP]uint16
}

func fill(list []uint16) {
	for i := range list {
		list[i] = probInit
	}
}

func (l *lengths) reset() {
	l.choice, l.choice2 = probInit, probInit
	for i := range l.low {
		fill(l.low[i][:])
		fill(l.mid[i][:])
	}
	fill(l.high[:])
}

func (p *probs) reset() {
	for i := range numStates {
		fill(p.isMatch[i][:])
		fill(p.isRep0Long[i][:])
	}
	for _, list := range [][]uint16{
		p.isRep[:], p.isRepG0[:], p.isRepG1[:], p.isRepG2[:], p.slot[0][:], p.slot[1][:], p.slot[2][:], p.slot[3][:], p.special[:],
		p.align[:], p.literal[:],
	} {
		fill(list)
	}
	p.match.reset()
	p.rep.reset()
}

// A ranger is a range decoder for one chunk. After the end of the chunk it reads zeros, and the caller compares pos with the length.
type ranger struct {
	in        []byte
	pos       int
	rng, code uint32
}

func (r *ranger) normalize() {
	if r.rng < topValue {
		r.rng <<= 8
		r.code <<= 8
		if r.pos < len(r.in) {
			r.code |= uint32(r.in[r.pos])
		}
		r.pos++
	}
}

func (r *ranger) bit(p *uint16) uint32 {
	r.normalize()
	v := uint32(*p)
	bound := (r.rng >> probBits) * v
	if r.code < bound {
		r.rng = bound
		*p = uint16(v + (1<<probBits-v)>>moveBits)
		return 0
	}
	r.rng -= bound
	r.code -= bound
	*p = uint16(v - v>>moveBits)
	return 1
}

// The functions below keep the range decoder in local variables. Where bits are hard to predict they also have no branch for them: bit is 0 or
// all ones, and the probability moves by v -= (v + offset) >> 5 with an offset of 31-2048 for a zero bit, which rounds as the format says.

// tree decodes a number, highest bit first. The list has two to the power of the number of bits elements.
func (r *ranger) tree(list []uint16) uint32 {
	rng, code, pos := r.rng, r.code, r.pos
	m := uint32(1)
	for m < uint32(len(list)) {
		if rng < topValue {
			rng <<= 8
			code <<= 8
			if pos < len(r.in) {
				code |= uint32(r.in[pos])
			}
			pos++
		}
		v := int32(list[m])
		bound := (rng >> probBits) * uint32(v)
		zero := uint32((int64(code) - int64(bound)) >> 63)
		rng = bound&zero | (rng-bound)&^zero
		code -= bound &^ zero
		list[m] = uint16(v - (v+int32(zero)&(31-1<<probBits))>>moveBits)
		m = m<<1 + 1 + zero
	}
	r.rng, r.code, r.pos = rng, code, pos
	return m - uint32(len(list))
}

// reverse decodes a number of n bits, lowest bit first. The probabilities begin at list[1].
func (r *ranger) reverse(list []uint16, n uint32) (v uint32) {
	rng, code, pos := r.rng, r.code, r.pos
	m := uint32(1)
	for i := range n {
		if rng < topValue {
			rng <<= 8
			code <<= 8
			if pos < len(r.in) {
				code |= uint32(r.in[pos])
			}
			pos++
		}
		p := int32(list[m])
		bound := (rng >> probBits) * uint32(p)
		zero := uint32((int64(code) - int64(bound)) >> 63)
		rng = bound&zero | (rng-bound)&^zero
		code -= bound &^ zero
		list[m] = uint16(p - (p+int32(zero)&(31-1<<probBits))>>moveBits)
		m = m<<1 + 1 + zero
		v |= (1 + zero) << i
	}
	r.rng, r.code, r.pos = rng, code, pos
	return v
}

// direct decodes a number of n bits with equal probability.
func (r *ranger) direct(n uint32) (v uint32) {
	rng, code, pos := r.rng, r.code, r.pos
	for range n {
		if rng < topValue {
			rng <<= 8
			code <<= 8
			if pos < len(r.in) {
				code |= uint32(r.in[pos])
			}
			pos++
		}
		rng >>= 1
		code -= rng
		t := 0 - code>>31
		code += rng & t
		v = v<<1 + t + 1
	}
	r.rng, r.code, r.pos = rng, code, pos
	return v
}

func (r *ranger) length(l *lengths, posState int) int {
	switch {
	case r.bit(&l.choice) == 0:
		return minMatch + int(r.tree(l.low[posState][:]))
	case r.bit(&l.choice2) == 0:
		return minMatch + 8 + int(r.tree(l.mid[posState][:]))
	}
	return minMatch + 16 + int(r.tree(l.high[:]))
}

func (r *ranger) distance(p *probs, length int) uint32 {
	slot := r.tree(p.slot[min(length-minMatch, lenStates-1)][:])
	if slot < 4 {
		return slot
	}
	n := slot>>1 - 1
	d := (2 | slot&1) << n
	if slot < fullDist {
		return d + r.reverse(p.special[d-slot:], n)
	}
	d += r.direct(n-alignBits) << alignBits
	return d + r.reverse(p.align[:], alignBits)
}

// An lzma2 decodes LZMA2 data chunk by chunk. It can be reused after begin.
type lzma2 struct {
	probs
	lc, lp, pb uint32

	state int
	reps  [4]uint32
	at    int // end of what was decoded, in the output
	dict  int // start of the dictionary in the output; negative if its start is no longer there

	needDict, needProps, needState bool // the next chunk has to reset it
}

var (
	errChunk    = errors.New("LZMA2 data is damaged")
	errShort    = errors.New("LZMA2 data ends too early")
	errUnpacked = errors.New("LZMA2 data is longer than its block says")
)

// begin starts at the beginning of a block.
func (d *lzma2) begin() {
	d.at, d.dict = 0, 0
	d.needDict, d.needProps, d.needState = true, true, true
}

// headSize returns the size of the header of a chunk, which begins with a control byte. The end of the data is the byte 0.
func headSize(control byte) int {
	switch {
	case control == 0:
		return 1
	case control < 0x80:
		return 3
	case control < 0xc0:
		return 5
	}
	return 6
}

// stored reports whether the bytes of a chunk are stored as they are.
func stored(control byte) bool { return control < 0x80 }

// sizes returns the sizes of a chunk, unpacked and packed, by its header.
func sizes(head []byte) (unpacked, packed int) {
	unpacked = 1 + int(head[1])<<8 + int(head[2])
	if stored(head[0]) {
		return unpacked, unpacked
	}
	return unpacked + int(head[0]&0x1f)<<16, 1 + int(head[3])<<8 + int(head[4])
}

// enter resets what the header of a chunk says.
func (d *lzma2) enter(head []byte) error {
	control := head[0]
	if control == 1 || control >= 0xe0 {
		d.needDict, d.needProps, d.dict = false, true, d.at
	}
	bad := d.needDict || control > 2 && stored(control)
	if !stored(control) {
		if control >= 0xc0 {
			if !d.props(head[5]) {
				return fmt.Errorf("%w: properties 0x%02x", errChunk, head[5])
			}
			d.needProps = false
		}
		if control >= 0xa0 && !d.needProps {
			d.needState = false
			d.reset()
			d.state, d.reps = 0, [4]uint32{}
		}
		bad = bad || d.needProps || d.needState
	}
	if bad {
		return fmt.Errorf("%w: control byte 0x%02x", errChunk, control)
	}
	return nil
}

// step decodes the chunk that in begins with. It returns its size; 0 if in has only a part of it. At the end of the data, it returns 1 and decodes
// nothing. Every error is about the format of in.
func (d *lzma2) step(out, in []byte) (int, error) {
	if len(in) == 0 || len(in) < headSize(in[0]) {
		return 0, nil
	}
	head := headSize(in[0])
	if head == 1 {
		return 1, nil
	}
	unpacked, packed := sizes(in)
	if len(in)-head < packed {
		return 0, nil
	}
	if unpacked > len(out)-d.at {
		return 0, errUnpacked
	}
	if err := d.enter(in); err != nil {
		return 0, err
	}
	if err := d.contents(out[:d.at+unpacked], in[0], in[head:head+packed]); err != nil {
		return 0, err
	}
	return head + packed, nil
}

// contents decodes the contents of a chunk to the end of out.
func (d *lzma2) contents(out []byte, control byte, in []byte) error {
	if stored(control) {
		copy(out[d.at:], in)
	} else if !d.chunk(out, d.at, in) {
		return errChunk
	}
	d.at = len(out)
	return nil
}

// props sets the properties lc, lp and pb from their byte. It reports whether they are valid.
func (d *lzma2) props(b byte) bool {
	v := uint32(b)
	d.lc, d.lp, d.pb = v%9, v/9%5, v/45
	return d.pb <= maxPropsPB && d.lc+d.lp <= maxLCLP
}

// chunk decodes one LZMA chunk to out[at:]. It reports whether the chunk is valid.
func (d *lzma2) chunk(out []byte, at int, in []byte) bool {
	if len(in) < 5 || in[0] != 0 {
		return false
	}
	r := ranger{in: in, pos: 5, rng: ^uint32(0), code: uint32(in[1])<<24 | uint32(in[2])<<16 | uint32(in[3])<<8 | uint32(in[4])}
	p := &d.probs
	state, reps := d.state, d.reps
	posMask, litMask := 1<<d.pb-1, 1<<d.lp-1
	start := max(0, d.dict) // of what is still there of the dictionary
	for at < len(out) {
		// A position counts from the last reset of the dictionary.
		posState := (at - d.dict) & posMask
		if r.bit(&p.isMatch[state][posState]) == 0 {
			prev := byte(0)
			if at > d.dict {
				prev = out[at-1]
			}
			base := litProbs * ((at-d.dict)&litMask<<d.lc + int(prev>>(8-d.lc)))
			list := (*[litProbs]uint16)(p.literal[base:])
			if state < 7 {
				out[at] = r.literal(list)
			} else {
				if int(reps[0]) >= at-start {
					return false
				}
				out[at] = r.matched(list, uint32(out[at-int(reps[0])-1]))
			}
			at++
			switch {
			case state < 4:
				state = 0
			case state < 10:
				state -= 3
			default:
				state -= 6
			}
			continue
		}
		length := 1
		if r.bit(&p.isRep[state]) == 0 {
			reps[3], reps[2], reps[1] = reps[2], reps[1], reps[0]
			length = r.length(&p.match, posState)
			reps[0] = r.distance(p, length)
			state = after(state, 7, 10)
		} else {
			short := false
			if r.bit(&p.isRepG0[state]) == 0 {
				short = r.bit(&p.isRep0Long[state][posState]) == 0
			} else {
				i := 1
				if r.bit(&p.isRepG1[state]) != 0 {
					i = 2 + int(r.bit(&p.isRepG2[state]))
				}
				dist := reps[i]
				copy(reps[1:], reps[:i])
				reps[0] = dist
			}
			if short {
				state = after(state, 9, 11)
			} else {
				length = r.length(&p.rep, posState)
				state = after(state, 8, 11)
			}
		}
		if uint64(reps[0]) >= uint64(at-start) || length > len(out)-at {
			return false
		}
		repeat(out[:at+length], at, int(reps[0])+1)
		at += length
	}
	d.state, d.reps = state, reps
	r.normalize()
	return r.pos == len(in) && r.code == 0
}

// after returns the state after a match or repetition: literal if the previous item was a literal, otherwise match.
func after(state, literal, match int) int {
	if state < 7 {
		return literal
	}
	return match
}

// repeat fills out[at:] with the bytes at a distance of dist before it.
func repeat(out []byte, at, dist int) {
	if dist >= len(out)-at {
		copy(out[at:], out[at-dist:at])
		return
	}
	for i := at; i < len(out); i++ {
		out[i] = out[i-dist]
	}
}

// literal is tree for a literal, where half of the decoding time is spent.
func (r *ranger) literal(list *[litProbs]uint16) byte {
	rng, code, pos, in := r.rng, r.code, r.pos, r.in
	m := uint32(1)
	for m < 0x100 {
		if rng < topValue {
			rng <<= 8
			code <<= 8
			if pos < len(in) {
				code |= uint32(in[pos])
			}
			pos++
		}
		p := &list[m]
		v := int32(*p)
		bound := (rng >> probBits) * uint32(v)
		zero := uint32((int64(code) - int64(bound)) >> 63)
		rng = bound&zero | (rng-bound)&^zero
		code -= bound &^ zero
		*p = uint16(v - (v+int32(zero)&(31-1<<probBits))>>moveBits)
		m = m<<1 + 1 + zero
	}
	r.rng, r.code, r.pos = rng, code, pos
	return byte(m)
}

// matched decodes the literal after a match. Its probabilities depend on match, the byte that would continue the match, because the literal most
// likely differs from it.
func (r *ranger) matched(list *[litProbs]uint16, match uint32) byte {
	rng, code, pos, in := r.rng, r.code, r.pos, r.in
	m, offset := uint32(1), uint32(0x100)
	for m < 0x100 {
		if rng < topValue {
			rng <<= 8
			code <<= 8
			if pos < len(in) {
				code |= uint32(in[pos])
			}
			pos++
		}
		match <<= 1
		same := match & offset
		p := &list[(offset+same+m)&0x3ff%litProbs]
		v := int32(*p)
		bound := (rng >> probBits) * uint32(v)
		zero := uint32((int64(code) - int64(bound)) >> 63)
		rng = bound&zero | (rng-bound)&^zero
		code -= bound &^ zero
		*p = uint16(v - (v+int32(zero)&(31-1<<probBits))>>moveBits)
		m = m<<1 + 1 + zero
		offset = same&^zero | offset&^same&zero
	}
	r.rng, r.code, r.pos = rng, code, pos
	return byte(m)
}
