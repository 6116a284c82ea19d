package xz

import (
	"math/bits"
	"math/rand/v2"
)

// An lzmaEncoder encodes symbols that a test chooses, whether or not they make the data small. It keeps the contents that they stand for.
type lzmaEncoder struct {
	probs
	lc, lp, pb int
	state      int
	reps       [4]uint32
	contents   []byte

	low     uint64
	rng     uint32
	cache   byte
	pending int // bytes 0xff after the cache
	packed  []byte
	started bool
}

func newLZMAEncoder(lc, lp, pb int) *lzmaEncoder {
	e := &lzmaEncoder{lc: lc, lp: lp, pb: pb}
	e.reset()
	return e
}

// shift writes the highest byte of low, or keeps it until it is known whether it gets a carry.
func (e *lzmaEncoder) shift() {
	if uint32(e.low) < 0xff000000 || e.low>>32 != 0 {
		carry := byte(e.low >> 32)
		e.packed = append(e.packed, e.cache+carry)
		for ; e.pending > 0; e.pending-- {
			e.packed = append(e.packed, 0xff+carry)
		}
		e.cache = byte(e.low >> 24)
	} else {
		e.pending++
	}
	e.low = e.low << 8 & 0xffffffff
}

func (e *lzmaEncoder) bit(p *uint16, bit int) {
	bound := e.rng >> probBits * uint32(*p)
	if bit == 0 {
		e.rng = bound
		*p += (1<<probBits - *p) >> moveBits
	} else {
		e.low += uint64(bound)
		e.rng -= bound
		*p -= *p >> moveBits
	}
	e.normalise()
}

func (e *lzmaEncoder) normalise() {
	for e.rng < topValue {
		e.rng <<= 8
		e.shift()
	}
}

func (e *lzmaEncoder) tree(list []uint16, n, number int) {
	m := 1
	for i := n - 1; i >= 0; i-- {
		bit := number >> i & 1
		e.bit(&list[m], bit)
		m = m<<1 | bit
	}
}

func (e *lzmaEncoder) reverse(list []uint16, n, number int) {
	m := 1
	for i := range n {
		bit := number >> i & 1
		e.bit(&list[m], bit)
		m = m<<1 | bit
	}
}

func (e *lzmaEncoder) position() (isMatch *uint16, posState int) {
	posState = len(e.contents) & (1<<e.pb - 1)
	return &e.isMatch[e.state][posState], posState
}

func (e *lzmaEncoder) literal(b byte) {
	p, _ := e.position()
	e.bit(p, 0)
	prev := 0
	if n := len(e.contents); n > 0 {
		prev = int(e.contents[n-1])
	}
	list := e.probs.literal[litProbs*(len(e.contents)&(1<<e.lp-1)<<e.lc+prev>>(8-e.lc)):]
	if e.state < 7 {
		e.tree(list, 8, int(b))
	} else {
		match, m, equal := e.contents[len(e.contents)-int(e.reps[0])-1], 1, 0x100
		for i := 7; i >= 0; i-- {
			bit, is := int(b)>>i&1, int(match)>>i&1
			if equal != 0 {
				e.bit(&list[0x100+is<<8+m], bit)
			} else {
				e.bit(&list[m], bit)
			}
			if is != bit {
				equal = 0
			}
			m = m<<1 | bit
		}
	}
	e.contents = append(e.contents, b)
	switch {
	case e.state < 4:
		e.state = 0
	case e.state < 10:
		e.state -= 3
	default:
		e.state -= 6
	}
}

func (e *lzmaEncoder) length(l *lengths, posState, n int) {
	switch n -= minMatch; {
	case n < 8:
		e.bit(&l.choice, 0)
		e.tree(l.trees[lowLength+posState*8:], 3, n)
	case n < 16:
		e.bit(&l.choice, 1)
		e.bit(&l.choice2, 0)
		e.tree(l.trees[midLength+posState*8:], 3, n-8)
	default:
		e.bit(&l.choice, 1)
		e.bit(&l.choice2, 1)
		e.tree(l.trees[highLength:], 8, n-16)
	}
}

func (e *lzmaEncoder) repeat(n int) {
	for range n {
		b := byte(0)
		if at := len(e.contents) - int(e.reps[0]) - 1; at >= 0 { // else a decoder must refuse it
			b = e.contents[at]
		}
		e.contents = append(e.contents, b)
	}
}

// match encodes n bytes at a distance of dist+1.
func (e *lzmaEncoder) match(dist uint32, n int) {
	p, posState := e.position()
	e.bit(p, 1)
	e.bit(&e.isRep[e.state], 0)
	e.length(&e.probs.match, posState, n)
	e.reps = [4]uint32{dist, e.reps[0], e.reps[1], e.reps[2]}
	slot, low := int(dist), 0
	if dist >= 4 {
		low = bits.Len32(dist) - 2 // bits below the highest two
		slot = low*2 + int(dist>>low)
	}
	e.tree(e.slot[min(n-minMatch, lenStates-1)*64:], 6, slot)
	rest := int(dist) & (1<<low - 1)
	switch {
	case slot >= fullDist:
		for i := low - 1; i >= alignBits; i-- {
			e.rng >>= 1
			if rest>>i&1 != 0 {
				e.low += uint64(e.rng)
			}
			e.normalise()
		}
		e.reverse(e.align[:], alignBits, rest&(1<<alignBits-1))
	case slot >= 4:
		e.reverse(e.special[int(dist)-rest-slot:], low, rest)
	}
	e.state = after(e.state, 7, 10)
	e.repeat(n)
}

// repetition encodes n bytes at one of the last four distances. One byte is encoded in the short form, which exists for the last distance.
func (e *lzmaEncoder) repetition(i, n int) {
	p, posState := e.position()
	e.bit(p, 1)
	e.bit(&e.isRep[e.state], 1)
	e.bit(&e.isRepG0[e.state], min(i, 1))
	if i == 0 {
		e.bit(&e.isRep0Long[e.state][posState], min(n-1, 1))
	} else if e.bit(&e.isRepG1[e.state], min(i-1, 1)); i > 1 {
		e.bit(&e.isRepG2[e.state], i-2)
	}
	dist := e.reps[i]
	copy(e.reps[1:i+1], e.reps[:i])
	e.reps[0] = dist
	if n == 1 {
		e.state = after(e.state, 9, 11)
	} else {
		e.length(&e.rep, posState, n)
		e.state = after(e.state, 8, 11)
	}
	e.repeat(n)
}

// chunk encodes what symbols encodes as one chunk of LZMA2 data.
func (e *lzmaEncoder) chunk(symbols func(full func() bool)) []byte {
	from := len(e.contents)
	e.low, e.rng, e.cache, e.pending, e.packed = 0, ^uint32(0), 0, 0, nil
	symbols(func() bool { return len(e.packed)+e.pending > 1<<16-100 || len(e.contents)-from > 1<<21-300 })
	for range 5 {
		e.shift()
	}
	n, size := len(e.contents)-from-1, len(e.packed)-1
	head := []byte{0x80 | byte(n>>16), byte(n >> 8), byte(n), byte(size >> 8), byte(size)}
	if !e.started {
		head[0] |= 0x60
		head = append(head, byte((e.pb*5+e.lp)*9+e.lc))
		e.started = true
	}
	return append(head, e.packed...)
}

// random encodes a symbol that depends on r, near the given mean of matches in a hundred symbols.
func (e *lzmaEncoder) random(r *rand.Rand, matches int) {
	have := len(e.contents)
	n := minMatch + r.IntN(8)
	switch r.IntN(6) {
	case 0:
		n = minMatch + r.IntN(272)
	case 1:
		n = minMatch + 8 + r.IntN(8)
	}
	if have == 0 || r.IntN(100) >= matches {
		b := byte(r.IntN(256))
		if have > 0 && r.IntN(3) > 0 { // as after a match that could nearly have been longer
			b = e.contents[max(0, have-1-int(e.reps[0]))] ^ 1<<r.IntN(8)
		}
		e.literal(b)
		return
	}
	if i := r.IntN(8); i < 4 && int(e.reps[i]) < have {
		if i == 0 && r.IntN(3) == 0 {
			n = 1
		}
		e.repetition(i, n)
		return
	}
	dist := uint32(r.IntN(have))
	if r.IntN(2) == 0 {
		dist = min(dist, r.Uint32()>>(8+r.IntN(24)))
	}
	e.match(dist, n)
}
