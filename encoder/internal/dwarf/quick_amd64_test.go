//go:build !purego

package dwarf

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestQuick: the loop in assembly code and the one in Go read the same DIEs, whatever their abbreviations and their bytes, in both byte orders.
func TestQuick(t *testing.T) {
	if !shuffles {
		t.Skip("the processor lacks the instructions")
	}
	defer func() { shuffles = true }()
	var read [3]int // numbers of words that quickShuffled has read: of all DIEs, and of runs with leading names and with bit fields
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		swap := seed%2 == 1
		table, codes := randomRuns(rnd, swap)
		u := &Unit{origin: origin{d: &Data{swap: swap, Strings: Strings{str: make([]byte, 1<<20)}}}, abbrevs: table}
		u.d.keys = &u.d.Strings
		n := 40 + rnd.IntN(600)
		u.data = randomDIEs(rnd, table, codes, n)
		u.end, u.refEnd = n, n
		for pos := range n {
			for kind := RunMembers; kind <= RunEnumerators; kind++ {
				var got, want Run
				var c Cursor
				shuffles = true
				c.Start(u)
				got.Read(&c, kind, pos)
				var words [quickWords]uint32
				limits := c.runs
				limits.each = kind.words()
				count, _ := quick(c.low, c.data, pos, c.end, kind, &words, &limits)
				read[0] += count
				for i := 0; i+1 < count; i += int(limits.each) {
					if words[i]&uint32(keyOther) == uint32(keyShort) {
						read[1]++
					}
				}
				if limits.bits != 0 {
					read[2] += count
				}
				shuffles = false
				c.Start(u)
				want.Read(&c, kind, pos)
				if !slices.Equal(got.Words, want.Words) || got.Next != want.Next || got.Bits != want.Bits {
					t.Fatalf("seed %d, kind %d from %d: got %x, next %d, bits %#x; want %x, next %d, bits %#x", seed, kind, pos, got.Words, got.Next,
						got.Bits, want.Words, want.Next, want.Bits)
				}
			}
		}
	}
	for i, n := range read {
		if n < 1000 {
			t.Errorf("row %d: only %d words were read by the loop in assembly code", i, n)
		}
	}
}

// randomRuns returns a table with declarations of members, parameters and enumerators, and their codes.
func randomRuns(rnd *rand.Rand, swap bool) (table *abbrevs, codes []byte) {
	sizes := []form{formData1, formData2, formData4, formImplicitConst, formData8}
	var b []byte
	attr := func(name uint16, f form) {
		b = append(b, byte(name), byte(f))
		if f == formImplicitConst {
			b = append(b, byte(rnd.IntN(40)))
		}
	}
	for code := byte(1); code < 20; code++ {
		tag := []Tag{TagMember, TagMember, TagMember, TagFormalParameter, TagEnumerator}[rnd.IntN(5)]
		b = append(b, code, byte(tag), 0)
		codes = append(codes, code)
		switch rnd.IntN(6) {
		case 0, 1:
			attr(atName, formString)
		case 2:
		default:
			attr(atName, formStrp)
		}
		for range rnd.IntN(4) { // file, line and column
			attr(0x3a+uint16(rnd.IntN(2)), sizes[rnd.IntN(4)])
		}
		if tag != TagEnumerator {
			attr(atType, formRef4)
		}
		switch {
		case tag == TagEnumerator:
			attr(atConstValue, sizes[rnd.IntN(4)])
		case tag == TagMember && rnd.IntN(3) == 0:
			attr(atBitSize, formData1)
			attr(atDataBitOffset, sizes[rnd.IntN(4)])
		case tag == TagMember && rnd.IntN(5) > 0:
			attr(atDataMemberLocation, sizes[rnd.IntN(5)])
		}
		b = append(b, 0, 0)
	}
	b = append(b, 0)
	table = &abbrevs{}
	table.sec = &section{size: uint64(len(b))}
	table.dense = append(table.dense, Abbrev{})
	k := abbrevKey{version: 5, addrSize: 8, swap: swap}
	table.key = k
	if err := table.parse(b, k); err != nil {
		panic(err)
	}
	table.upTo(2*lowCodes - 1) // codes of two bytes, too
	copy(table.dense[lowCodes:], table.dense[:lowCodes])
	return table, codes
}

// randomDIEs returns n bytes of DIEs, of which most are without error, and slack.
func randomDIEs(rnd *rand.Rand, table *abbrevs, codes []byte, n int) []byte {
	var b []byte
	code := codes[0]
	for len(b) < n {
		if rnd.IntN(3) == 0 {
			code = codes[rnd.IntN(len(codes))]
		}
		if rnd.IntN(30) == 0 {
			b = append(b, byte(rnd.Uint32()))
			continue
		}
		a := &table.dense[code]
		if b = append(b, code); rnd.IntN(20) == 0 {
			b[len(b)-1] |= 0x80
			b = append(b, 1)
		}
		if a.lead {
			b = append(b, "abcde"[:rnd.IntN(6)%5]...)
			b = append(b, 0)
		}
		at := len(b) - 1
		for range a.fixed {
			b = append(b, byte(rnd.Uint32()))
		}
		for _, place := range []uint8{a.layout.name, a.layout.typ} { // small numbers, most of which are valid
			if place == 0 || int(a.fixed) < int(place)+3 {
				continue
			}
			v := uint32(rnd.IntN(n + n/40))
			if table.key.swap {
				binary.BigEndian.PutUint32(b[at+int(place):], v)
			} else {
				binary.LittleEndian.PutUint32(b[at+int(place):], v)
			}
		}
	}
	return append(b[:n:n], make([]byte, slack)...)
}
