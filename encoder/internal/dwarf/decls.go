package dwarf

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// The problem: every unit has its own abbreviation table, and hardly two tables are equal. But their declarations repeat: a kernel has hundreds of
// thousands, of which about ten thousand are different. The idea: cache compiled declarations by their bytes.

// A declaration caches the compiled form of one declaration: the bytes after an abbreviation code, up to the two zeros at the
// end. 160 bytes.
type declaration struct {
	abbrev Abbrev
	n      uint8 // number of bytes; 0 is a free entry
	bytes  [maxDeclaration]byte
}

// declBytes are the bytes of a declaration, and some bytes after it.
type declBytes [maxDeclaration + 9]byte

// Longer declarations are not cached. The number of entries is chosen to fit into a processor's cache.
const (
	maxDeclaration = 72
	maxDeclAttrs   = 8
	declEntries    = 1 << 11
	// A section with few declarations needs fewer entries. A declaration has about declSize bytes.
	declSize = 16
	// In a smaller section, which has the tables of two or three units, too few declarations occur again to pay for the memory.
	fewDecls = 8 << 10
)

// recall adds the abbreviation whose declaration starts at b[pos:], after its code, if it is cached. next is then the position
// after it, otherwise 0.
func (t *abbrevs) recall(code uint64, b []byte, pos int) (next int) {
	if len(b)-pos < len(declBytes{}) || len(t.decls) == 0 {
		return 0
	}
	bytes := (*declBytes)(b[pos : pos+len(declBytes{})])
	h, length := declHash(bytes)
	i := h % uint32(len(t.decls))
	d := &t.decls[i]
	if d.n == 0 || !d.equal(bytes) {
		return 0
	}
	n := len(t.attrs)
	if d.abbrev.n != 0 { // the whole array is copied, which needs no call
		t.attrs = slices.Grow(t.attrs, maxDeclAttrs)
		*(*[maxDeclAttrs]attr)(t.attrs[n : n+maxDeclAttrs]) = t.declAttrs[i]
		t.attrs = t.attrs[:n+int(d.abbrev.n)]
	}
	if code == uint64(len(t.dense)) && code <= maxDenseCode { // as put does, with one copy
		t.count++
		t.dense = append(t.dense, d.abbrev)
		t.dense[code].first = uint32(n)
	} else {
		a := d.abbrev
		a.first = uint32(n)
		t.put(code, a)
	}
	if length != int(d.n) { // a branch, not a value: the processor goes on to the next declaration before it has loaded d.n
		return t.longer(pos, d)
	}
	return pos + length
}

// longer returns the position after a declaration whose first two zeros do not end it. It is not inlined so that its caller has a branch.
//
//go:noinline
func (t *abbrevs) longer(pos int, d *declaration) int { return pos + int(d.n) }

// equal reports whether the given bytes start with the declaration.
func (d *declaration) equal(bytes *declBytes) bool {
	left := uint(d.n)
	for i := 0; i < maxDeclaration; i += 8 {
		x := binary.LittleEndian.Uint64(d.bytes[i:]) ^ binary.LittleEndian.Uint64(bytes[i:])
		if left <= 8 {
			return x<<(64-8*left) == 0
		}
		if x != 0 {
			return false
		}
		left -= 8
	}
	return false
}

// remember caches a declaration, which ends at next. It replaces another one with its hash.
func (t *abbrevs) remember(a Abbrev, b []byte, pos, next int) {
	if t.sec.size < fewDecls || next-pos > maxDeclaration || a.n > maxDeclAttrs || len(b)-pos < len(declBytes{}) || len(t.attrs) != int(a.first)+int(a.n) {
		return
	}
	if t.decls == nil {
		n := declEntries
		for uint64(n)*declSize/2 > t.sec.size {
			n /= 2
		}
		t.decls, t.declAttrs = make([]declaration, n), make([][maxDeclAttrs]attr, n)
		clear(t.decls) // so that its memory is written before it is read
	}
	h, _ := declHash((*declBytes)(b[pos:]))
	i := h % uint32(len(t.decls))
	d := &t.decls[i]
	d.n, d.abbrev = uint8(next-pos), a
	copy(d.bytes[:], b[pos:next])
	copy(t.declAttrs[i][:], t.attrs[a.first:])
}

// declHash returns the hash of the declaration that starts at b, and its probable length. They depend on the bytes up to the first two zeros, which
// belong to the declaration. (Zeros in an implicit constant can end it early.)
func declHash(b *declBytes) (hash uint32, length int) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	h := uint64(0x9e3779b97f4a7c15)
	for i := 0; i < maxDeclaration; i += 8 {
		v, w := binary.LittleEndian.Uint64(b[i:]), binary.LittleEndian.Uint64(b[i+1:])
		zero := (v - ones) &^ v & ((w - ones) &^ w) & highs
		if zero != 0 {
			at := uint(bits.TrailingZeros64(zero)) & 56
			v &= 1<<at - 1
			length = i + int(at/8) + 2
		}
		hi, lo := bits.Mul64(h^v, 0xd6e8feb86659fd93)
		if h = hi ^ lo; zero != 0 {
			break
		}
	}
	return uint32(h >> 32), length
}
