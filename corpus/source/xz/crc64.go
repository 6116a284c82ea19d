package xz

import (
	"encoding/binary"
	"hash/crc64"
	"math/bits"
	"sync"
)

// The problem: each step of a CRC needs the result of the one before, so hash/crc64 waits for memory most of the time.
//
// The idea: the CRC is linear. Several stripes of the data are summed side by side, each from zero, and their results are joined: a stripe that is
// followed by n bytes counts x^8n times. This takes a third of the time.

const (
	crcStripes = 4
	crcStripe  = 16 << 10 // bytes of each
)

// A crcSum has the tables for CRC-64 as xz has it, with the polynomial of ECMA-182.
type crcSum struct {
	tables [8][256]uint64 // of a byte with 0 to 7 bytes after it
	after  uint64         // x to the power of the bits in a stripe
}

// crcSums is made when it is first used: most runs of the program read no package.
var crcSums = sync.OnceValue(func() *crcSum {
	c := &crcSum{tables: [8][256]uint64{*crc64.MakeTable(crc64.ECMA)}}
	for i := range 256 {
		for k := 1; k < len(c.tables); k++ {
			v := c.tables[k-1][i]
			c.tables[k][i] = c.tables[0][byte(v)] ^ v>>8
		}
	}
	c.after = 1 << 62 // x; the highest bit stands for 1
	for range bits.TrailingZeros(8 * crcStripe) {
		c.after = crcTimes(c.after, c.after)
	}
	return c
})

// crcTimes multiplies two polynomials.
func crcTimes(a, b uint64) (product uint64) {
	for ; a != 0; a <<= 1 {
		product ^= b & -(a >> 63)
		b = b>>1 ^ crc64.ECMA&-(b&1)
	}
	return product
}

// crcUpdate returns the CRC of more data after that of sum, as crc64.Update does.
func crcUpdate(sum uint64, p []byte) uint64 {
	c := crcSums()
	sum = ^sum
	for ; len(p) >= crcStripes*crcStripe; p = p[crcStripes*crcStripe:] {
		s := c.stripes(sum, (*[crcStripes * crcStripe]byte)(p))
		sum = 0
		for _, one := range s {
			sum = crcTimes(c.after, sum) ^ one
		}
	}
	for ; len(p) >= 8; p = p[8:] {
		sum = c.eight(sum ^ binary.LittleEndian.Uint64(p))
	}
	for _, b := range p {
		sum = c.tables[0][byte(sum)^b] ^ sum>>8
	}
	return ^sum
}

// stripes returns the sums of stripes, of which the first one continues a sum.
func (c *crcSum) stripes(sum uint64, p *[crcStripes * crcStripe]byte) [crcStripes]uint64 {
	s0, s1, s2, s3 := sum, uint64(0), uint64(0), uint64(0)
	for i := 0; i < crcStripe; i += 8 {
		s0 = c.eight(s0 ^ binary.LittleEndian.Uint64(p[i:]))
		s1 = c.eight(s1 ^ binary.LittleEndian.Uint64(p[i+crcStripe:]))
		s2 = c.eight(s2 ^ binary.LittleEndian.Uint64(p[i+2*crcStripe:]))
		s3 = c.eight(s3 ^ binary.LittleEndian.Uint64(p[i+3*crcStripe:]))
	}
	return [...]uint64{s0, s1, s2, s3}
}

// eight sums eight bytes.
func (c *crcSum) eight(v uint64) uint64 {
	t := &c.tables
	return t[7][byte(v)] ^ t[6][byte(v>>8)] ^ t[5][byte(v>>16)] ^ t[4][byte(v>>24)] ^
		t[3][byte(v>>32)] ^ t[2][byte(v>>40)] ^ t[1][byte(v>>48)] ^ t[0][byte(v>>56)]
}
