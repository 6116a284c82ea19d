package xz

import (
	"errors"
	"fmt"
	"math/bits"
)

// An xz block consists of LZMA2 chunks. LZMA2 data is literals and matches: repetitions of earlier output, which is called the dictionary. Decoders
// usually keep the dictionary in a separate window. Here a block is decoded as a whole, so the output itself serves as the dictionary. Nothing
// is copied through a window, and the distance of a match is checked against the output since the last reset of the dictionary.
//
// Nearly all time is spent waiting: each bit needs the probability that the bits before it select, and the range that they leave. So the loops load
// the probabilities of both values of the next bit before they know this one, and keep the state of the range decoder in registers, as a value.
// Bits that are hard to predict have no branches. Their comparison is made twice: as a condition, of which the compiler makes conditional moves of
// what no address depends on, and as a borrow, from which arithmetic derives what addresses depend on. The latter would become branches otherwise.
// On kernels, the result takes somewhat less time than xz 5.4.1.

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

// Trees of probabilities are lists of twice their size: while a bit is decoded, the probabilities of both bits that may follow are loaded, even if
// none follows. What is loaded then belongs to the next list. For positions in them to need no check but a mask, all are passed as lists of the
// size of the largest.
const maxTree = 2 * 256

// lengths are the probabilities for the lengths of matches.
type lengths struct {
	choice, choice2 uint16
	trees           [highLength + maxTree]uint16
}

// Places in lengths.trees of the trees for short, middle and long lengths. Of the first two, there is one for each posState.
const (
	lowLength  = 0
	midLength  = lowLength + 8*posStates
	highLength = midLength + 8*posStates
)

// probs are the adaptive probabilities of LZMA, each for one kind of bit in one context.
type probs struct {
	isMatch, isRep0Long              [16][posStates]uint16 // numStates are used
	isRep, isRepG0, isRepG1, isRepG2 [16]uint16
	slot                             [64*lenStates + maxTree]uint16
	special                          [specials]uint16
	align                            [1 << alignBits]uint16
	match, rep                       lengths
	literal                          [litProbs<<maxLCLP + 0x100]uint16
}

func fill(list []uint16) {
	for i := range list {
		list[i] = probInit
	}
}

func (l *lengths) reset() {
	l.choice, l.choice2 = probInit, probInit
	fill(l.trees[:])
}

func (p *probs) reset() {
	for i := range numStates {
		fill(p.isMatch[i][:])
		fill(p.isRep0Long[i][:])
	}
	for _, list := range [][]uint16{
		p.isRep[:], p.isRepG0[:], p.isRepG1[:], p.isRepG2[:], p.slot[:], p.special[:], p.align[:], p.literal[:],
	} {
		fill(list)
	}
	p.match.reset()
	p.rep.reset()
}

// A packedChunk is a copy of the packed data of a chunk. No chunk has more bytes, so positions in it need no check but a mask. What follows the data
// is undefined. Whoever decodes the chunk compares the position at its end with the size of the data.
type packedChunk [1 << 16]byte

// A ranger is the state of the range decoder of a chunk, which is passed by value to stay in registers.
type ranger struct {
	rng, code uint32
	pos       int // in the packed chunk
}

// shift reads a byte. It is called when rng < topValue.
func (r ranger) shift(in *packedChunk) ranger {
	r.rng <<= 8
	r.code = r.code<<8 | uint32(in[r.pos&(len(in)-1)])
	r.pos++
	return r
}

// bit decodes a bit with a branch.
func (r ranger) bit(in *packedChunk, p *uint16) (ranger, bool) {
	if r.rng < topValue {
		r = r.shift(in)
	}
	v := uint32(*p)
	bound := (r.rng >> probBits) * v
	if r.code < bound {
		r.rng = bound
		*p = uint16(v + (1<<probBits-v)>>moveBits)
		return r, false
	}
	r.rng -= bound
	r.code -= bound
	*p = uint16(v - v>>moveBits)
	return r, true
}

// choose decodes a bit without a branch. v is its probability. zero says that the bit is 0. mask says the same: it is all ones, else 0.
func (r ranger) choose(v uint32) (_ ranger, zero bool, mask uint64) {
	bound := (r.rng >> probBits) * v
	rest, borrow := bits.Sub64(uint64(r.code), uint64(bound), 0)
	zero = r.code < bound
	rng, code := r.rng-bound, uint32(rest)
	if zero {
		rng = bound
	}
	if zero {
		code = r.code
	}
	return ranger{rng, code, r.pos}, zero, -borrow
}

// moved returns what the probability v becomes after a bit: it moves by (v + offset) >> 5 with an offset of 31-2048 for a zero bit, which rounds as
// the format says.
func moved(v uint32, mask uint64) uint16 {
	return uint16(int32(v) - (int32(v)+int32(mask)&(31-1<<probBits))>>moveBits)
}

// pick returns the one of two values that belongs to a bit.
func pick(zero bool, if0, if1 uint32) uint32 {
	if zero {
		if1 = if0
	}
	return if1
}

// tree decodes a number below size, highest bit first.
func (r ranger) tree(in *packedChunk, list *[maxTree]uint16, size uint) (ranger, uint32) {
	m, v := uint(1), uint32(list[1])
	for m < size {
		if r.rng < topValue {
			r = r.shift(in)
		}
		i := m << 1 & (maxTree - 2)
		if0, if1 := uint32(list[i]), uint32(list[i+1])
		var zero bool
		var mask uint64
		r, zero, mask = r.choose(v)
		list[m&(maxTree-1)] = moved(v, mask)
		m = m<<1 + 1 + uint(mask)
		v = pick(zero, if0, if1)
	}
	return r, uint32(m - size)
}

// reverse decodes a number of n bits, lowest bit first. The probabilities begin at list[1].
func (r ranger) reverse(in *packedChunk, list []uint16, n uint32) (ranger, uint32) {
	m, number := uint(1), uint(0)
	for i := range n {
		if r.rng < topValue {
			r = r.shift(in)
		}
		v := uint32(list[m])
		var mask uint64
		r, _, mask = r.choose(v)
		list[m] = moved(v, mask)
		bit := 1 + uint(mask)
		m = m<<1 + bit
		number |= bit << (i & 31)
	}
	return r, uint32(number)
}

// direct decodes a number of n bits with equal probability.
func (r ranger) direct(in *packedChunk, n uint32) (ranger, uint32) {
	number := uint32(0)
	for range n {
		if r.rng < topValue {
			r = r.shift(in)
		}
		r.rng >>= 1
		r.code -= r.rng
		t := 0 - r.code>>31
		r.code += r.rng & t
		number = number<<1 + t + 1
	}
	return r, number
}

// literal is tree for a literal. m has the bits that are known, after a 1.
func (r ranger) literal(in *packedChunk, list *[0x400]uint16, m uint) (ranger, byte) {
	v := uint32(list[m&0xff])
	for m < 0x100 {
		if r.rng < topValue {
			r = r.shift(in)
		}
		if0, if1 := uint32(list[m<<1]), uint32(list[m<<1+1])
		var zero bool
		var mask uint64
		r, zero, mask = r.choose(v)
		list[m] = moved(v, mask)
		m = m<<1 + 1 + uint(mask)
		v = pick(zero, if0, if1)
	}
	return r, byte(m)
}

// matched decodes the literal after a match. Its probabilities depend on match, the byte that would continue the match, because the literal most
// likely differs from it. Up to the bit that differs, all of them follow from match alone, and after it they are those of other literals.
func (r ranger) matched(in *packedChunk, list *[0x400]uint16, match uint32) (ranger, byte) {
	w := uint(match) | 0x100 // its bits move up
	for range 8 {
		if r.rng < topValue {
			r = r.shift(in)
		}
		m := w >> 8
		w <<= 1
		p := &list[(0x100+w&0x100+m)&0x3ff]
		v := uint32(*p)
		var mask uint64
		r, _, mask = r.choose(v)
		*p = moved(v, mask)
		if m = m<<1 + 1 + uint(mask); m != w>>8 {
			return r.literal(in, list, m)
		}
	}
	return r, byte(match)
}

func (r ranger) length(in *packedChunk, l *lengths, posState int) (ranger, int) {
	r, long := r.bit(in, &l.choice)
	if !long {
		r, n := r.tree(in, (*[maxTree]uint16)(l.trees[lowLength+posState&15*8:]), 8)
		return r, minMatch + int(n)
	}
	if r, long = r.bit(in, &l.choice2); !long {
		r, n := r.tree(in, (*[maxTree]uint16)(l.trees[midLength+posState&15*8:]), 8)
		return r, minMatch + 8 + int(n)
	}
	r, n := r.tree(in, (*[maxTree]uint16)(l.trees[highLength:]), 256)
	return r, minMatch + 16 + int(n)
}

func (r ranger) distance(in *packedChunk, p *probs, length int) (ranger, uint32) {
	r, slot := r.tree(in, (*[maxTree]uint16)(p.slot[min(length-minMatch, lenStates-1)*64:]), 64)
	if slot < 4 {
		return r, slot
	}
	n := slot>>1 - 1
	d := (2 | slot&1) << n
	if slot < fullDist {
		r, low := r.reverse(in, p.special[d-slot:], n)
		return r, d + low
	}
	r, middle := r.direct(in, n-alignBits)
	r, low := r.reverse(in, p.align[:], alignBits)
	return r, d + middle<<alignBits + low
}

// An lzma2 decodes LZMA2 data chunk by chunk. It can be reused after begin.
type lzma2 struct {
	probs
	lc, lp, pb       uint32
	posMask, litMask uint32      // of a position, and of a position and the byte before it: 16 bits, the latter in the lower 8
	data             packedChunk // the current one

	state int
	reps  [4]uint32
	at    int // end of what was decoded, in the output
	dict  int // start of the dictionary in the output; negative if its start is no longer there

	needDict, needProps, needState bool // the next chunk has to reset it
	noAssembly                     bool // for tests
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
	d.posMask, d.litMask = 1<<d.pb-1, 0x100<<d.lp-0x100>>d.lc
	return d.pb <= maxPropsPB && d.lc+d.lp <= maxLCLP
}

// chunk decodes one LZMA chunk to out[at:]. It reports whether the chunk is valid.
func (d *lzma2) chunk(out []byte, at int, in []byte) bool {
	if len(in) < 5 || in[0] != 0 {
		return false
	}
	size := copy(d.data[:], in)
	r := ranger{pos: 5, rng: ^uint32(0), code: uint32(in[1])<<24 | uint32(in[2])<<16 | uint32(in[3])<<8 | uint32(in[4])}
	ok := true
	if haveSymbols && !d.noAssembly {
		r, at, ok = d.plain(out, at, r, at+1)
		for n := at - 1; ok && n < at; { // in steps: assembly cannot be interrupted
			n = at
			r, at, ok = symbols(d, out, in[:min(size, r.pos+symbolStep)], r, at)
		}
	}
	if ok {
		r, _, ok = d.plain(out, at, r, len(out))
	}
	if r.rng < topValue {
		r = r.shift(&d.data)
	}
	return ok && r.pos == size && r.code == 0
}

// symbolStep is the number of packed bytes that are decoded in a step. They take half a millisecond.
const symbolStep = 8 << 10

// plain decodes the symbols of a chunk to out[at:], until at least upto bytes are there. ok is false if the chunk is damaged.
func (d *lzma2) plain(out []byte, at int, r ranger, upto int) (rest ranger, end int, ok bool) {
	p, data := &d.probs, &d.data
	state, reps := d.state, d.reps
	origin := d.dict // positions count from the last reset of the dictionary
	posMask, litMask, lc := 1<<d.pb-1, 1<<d.lp-1, d.lc&7
	start := max(0, origin) // of what is still there of the dictionary
	for at < upto {
		posState := (at - origin) & posMask
		var one bool
		if r, one = r.bit(data, &p.isMatch[state&15][posState&15]); !one {
			prev := byte(0)
			if at > origin {
				prev = out[at-1]
			}
			list := (*[0x400]uint16)(p.literal[litProbs*((at-origin)&litMask<<lc+int(prev)<<lc>>8):])
			if state < 7 {
				r, out[at] = r.literal(data, list, 1)
			} else {
				if int(reps[0]) >= at-start {
					return r, at, false
				}
				r, out[at] = r.matched(data, list, uint32(out[at-int(reps[0])-1]))
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
		if r, one = r.bit(data, &p.isRep[state&15]); !one {
			reps[3], reps[2], reps[1] = reps[2], reps[1], reps[0]
			r, length = r.length(data, &p.match, posState)
			r, reps[0] = r.distance(data, p, length)
			state = after(state, 7, 10)
		} else {
			short := false
			if r, one = r.bit(data, &p.isRepG0[state&15]); !one {
				r, one = r.bit(data, &p.isRep0Long[state&15][posState&15])
				short = !one
			} else if r, one = r.bit(data, &p.isRepG1[state&15]); !one {
				reps[0], reps[1] = reps[1], reps[0]
			} else if r, one = r.bit(data, &p.isRepG2[state&15]); !one {
				reps[0], reps[1], reps[2] = reps[2], reps[0], reps[1]
			} else {
				reps[0], reps[1], reps[2], reps[3] = reps[3], reps[0], reps[1], reps[2]
			}
			if short {
				state = after(state, 9, 11)
			} else {
				r, length = r.length(data, &p.rep, posState)
				state = after(state, 8, 11)
			}
		}
		if uint64(reps[0]) >= uint64(at-start) || length > len(out)-at {
			return r, at, false
		}
		repeat(out, at, length, int(reps[0])+1)
		at += length
	}
	d.state, d.reps = state, reps
	return r, at, true
}

// after returns the state after a match or repetition: literal if the previous item was a literal, otherwise match.
func after(state, literal, match int) int {
	if state < 7 {
		return literal
	}
	return match
}

// repeat fills out[at:at+length] with the bytes at a distance of dist before it. It may also write to the 15 bytes after that.
func repeat(out []byte, at, length, dist int) {
	end := at + length
	if dist >= 16 && end+16 <= len(out) {
		for ; at < end; at += 16 {
			*(*[16]byte)(out[at:]) = *(*[16]byte)(out[at-dist:])
		}
		return
	}
	for ; at < end; at++ {
		out[at] = out[at-dist]
	}
}
