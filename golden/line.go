package golden

import (
	"bytes"
	"math"
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A line is what is left of one line of a raw dump. Its methods take pieces off its front; a piece that is not there
// sets bad, which whoever reads the line asks for once.
type line struct {
	b   []byte
	bad bool
}

// has takes a fixed text off the line if it is there.
func (l *line) has(text string) bool {
	if len(l.b) < len(text) || string(l.b[:len(text)]) != text {
		return false
	}
	l.b = l.b[len(text):]
	return true
}

// text takes a fixed text.
func (l *line) text(text string) {
	if !l.has(text) {
		l.bad = true
	}
}

// number64 takes an unsigned decimal number without leading zeros.
func (l *line) number64(most uint64) uint64 {
	n := 0
	for n < len(l.b) && l.b[n]-'0' <= 9 {
		n++
	}
	v, err := strconv.ParseUint(string(l.b[:n]), 10, 64)
	if err != nil || v > most || n > 1 && l.b[0] == '0' {
		l.bad = true
		return 0
	}
	l.b = l.b[n:]
	return v
}

// number takes an unsigned decimal number of 32 bits.
func (l *line) number() uint32 {
	// The common case has no room to overflow.
	v, n := uint32(0), 0
	for n < len(l.b) && n < 9 && l.b[n]-'0' <= 9 {
		v = v*10 + uint32(l.b[n]-'0')
		n++
	}
	if n == 0 || n == 9 || n > 1 && l.b[0] == '0' {
		return uint32(l.number64(math.MaxUint32))
	}
	l.b = l.b[n:]
	return v
}

// integer takes a signed decimal number between two bounds.
func (l *line) integer(least, most int64) int64 {
	if !l.has("-") {
		return int64(l.number64(uint64(most)))
	}
	v := -int64(l.number64(uint64(most)+1)-1) - 1
	if v >= 0 || v < least {
		l.bad = true
	}
	return v
}

// field takes a key and its number.
func (l *line) field(key string) uint32 {
	l.text(key)
	return l.number()
}

// name takes a quoted name. Nothing after the name has a quote in it, so the name ends at the last one, whatever it
// holds itself; only an entry of a DATASEC puts a bracket behind.
func (l *line) name() []byte {
	l.text("'")
	end := bytes.LastIndexByte(l.b, '\'')
	if l.bad || end < 0 {
		l.bad = true
		return nil
	}
	name := l.b[:end]
	l.b = l.b[end+1:]
	return name
}

// kinds finds a kind by the name that a dump gives it; all unknown kinds share void's.
var kinds = func() map[string]btf.Kind {
	m := make(map[string]btf.Kind, btf.NumKinds)
	for k := range btf.NumKinds {
		m[k.String()] = k
	}
	return m
}()

// kind takes the name of a kind.
func (l *line) kind() btf.Kind {
	end := bytes.IndexByte(l.b, ' ')
	k, ok := kinds[string(l.b[:max(end, 0)])]
	if !ok {
		l.bad = true
		return 0
	}
	l.b = l.b[end:]
	return k
}

// encoding takes the encoding of an INT; UNKN stands for any combination of bits and is read as all of them.
func (l *line) encoding() uint32 {
	l.text(" encoding=")
	switch {
	case l.has("(none)"):
		return 0
	case l.has("SIGNED"):
		return btf.IntSigned
	case l.has("CHAR"):
		return btf.IntChar
	case l.has("BOOL"):
		return btf.IntBool
	}
	l.text("UNKN")
	return 0xf
}

// linkage takes the linkage of a FUNC or VAR; (unknown) is read as the first number that has no name.
func (l *line) linkage(key string) uint32 {
	l.text(key)
	switch {
	case l.has("static"):
		return btf.LinkageStatic
	case l.has("global"):
		return btf.LinkageGlobal
	case l.has("extern"):
		return btf.LinkageExtern
	}
	l.text("(unknown)")
	return btf.LinkageExtern + 1
}
