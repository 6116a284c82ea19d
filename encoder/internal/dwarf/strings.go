package dwarf

import (
	"bytes"
	"sync"
)

// A StrKey names a string without copying it; 0 is "no string". Within one linked image equal keys are equal strings, and
// equal strings nearly always have equal keys; who must be sure compares the bytes.
//
//	00 + 30 bits: offset in .debug_str, plus 1
//	10 + 24 bits: up to three bytes, the first in the lowest eight bits
//	11 + 30 bits: number in the table of all other strings (long inline ones, .debug_line_str)
type StrKey uint32

const (
	keyShort StrKey = 2 << 30
	keyOther StrKey = 3 << 30
	keyMask         = 1<<30 - 1
)

// Strings gives the bytes of string keys. It may be used by several goroutines at once.
type Strings struct {
	str, line []byte
	cut       []byte // see Cut

	mu     sync.RWMutex
	other  [][]byte
	lookup map[string]StrKey
	own    map[StrKey]bool // with cut: keys of texts that do not come from the image
}

// Append appends the bytes of a key to dst.
func (s *Strings) Append(dst []byte, key StrKey) []byte {
	return append(dst, s.Get(key, new([4]byte))...)
}

// Cut shortens all strings that begin with a prefix to just that, so that unequal keys stand for equal strings. An empty
// prefix changes nothing. It must be called before anything is read.
func (s *Strings) Cut(prefix string) {
	if prefix != "" {
		s.cut = []byte(prefix)
	}
}

// Get is the bytes of a key; short ones are written to scratch. The result is a window that must not be changed.
func (s *Strings) Get(key StrKey, scratch *[4]byte) []byte {
	b := s.whole(key, scratch)
	if s.cut != nil && !s.isOwn(key) {
		return s.shortened(b)
	}
	return b
}

// shortened is a string of the image as Cut wants it.
func (s *Strings) shortened(b []byte) []byte {
	if s.cut != nil && bytes.HasPrefix(b, s.cut) {
		return s.cut
	}
	return b
}

func (s *Strings) isOwn(key StrKey) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.own[key]
}

// whole is the bytes of a key as they stand in the image.
func (s *Strings) whole(key StrKey, scratch *[4]byte) []byte {
	switch {
	case key == 0:
		return nil
	case key < keyShort:
		b := s.str[min(int(key-1), len(s.str)):]
		if n := bytes.IndexByte(b, 0); n >= 0 {
			b = b[:n]
		}
		return b
	case key < keyOther:
		n := 0
		for v := key & keyMask; v != 0; v >>= 8 {
			scratch[n] = byte(v)
			n++
		}
		return scratch[:n]
	default:
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.other[key&keyMask]
	}
}

// Prefetch reads the first byte of a string of .debug_str. What comes back is of no use.
func (s *Strings) Prefetch(key StrKey) byte {
	if i := uint(key - 1); i < uint(len(s.str)) {
		return s.str[i]
	}
	return 0
}

// Size is the length of .debug_str, of which keys up to that are offsets plus 1.
func (s *Strings) Size() int { return len(s.str) }

// Each gives every string of .debug_str that starts at an offset from from on and before to, with its key, in order, as Get does.
// Strings that are the tail of another one have keys too, which it does not give.
func (s *Strings) Each(from, to uint64, do func(key StrKey, text []byte)) {
	at := int(min(from, uint64(len(s.str))))
	if at > 0 { // perhaps inside of a string, which is left to who has its start
		n := bytes.IndexByte(s.str[at-1:], 0)
		if n < 0 {
			return
		}
		at += n
	}
	for at < len(s.str) && uint64(at) < to {
		n := bytes.IndexByte(s.str[at:], 0)
		if n < 0 {
			return
		}
		key := s.strp(uint64(at))
		if key == 0 {
			return
		}
		do(key, s.shortened(s.str[at:at+n]))
		at += n + 1
	}
}

// Equal reports whether a key is the given text.
func (s *Strings) Equal(key StrKey, text string) bool {
	var scratch [4]byte
	return string(s.Get(key, &scratch)) == text
}

// Empty reports whether a key is no string, or the empty one.
func (s *Strings) Empty(key StrKey) bool {
	if 0 < key && key < keyShort {
		return int(key-1) >= len(s.str) || s.str[key-1] == 0
	}
	var scratch [4]byte
	return key == 0 || len(s.Get(key, &scratch)) == 0
}

// inline is the key of a string that stands in .debug_info itself.
func (s *Strings) inline(b []byte) StrKey {
	if len(b) > 3 {
		return s.add(b)
	}
	key := keyShort
	for i, c := range b {
		key |= StrKey(c) << (8 * i)
	}
	if key == keyShort {
		return 0
	}
	return key
}

// strp is the key of the string at an offset of .debug_str; 0 when there is none.
func (s *Strings) strp(off uint64) StrKey {
	if off >= uint64(len(s.str)) || off >= keyMask {
		return 0
	}
	return StrKey(off) + 1
}

// strp is the key of the string at an offset of .debug_str; 0 when there is none.
func (d *Data) strp(off uint64) StrKey {
	if d.keys == &d.Strings {
		return d.Strings.strp(off)
	}
	return d.keys.at(d.Strings.str, off)
}

// elsewhere is the key of a string that a slot gives as a key, or as an offset in a section that keys are not offsets of.
func (d *Data) elsewhere(v uint64) StrKey {
	switch {
	case v >= lineStrValue:
		return d.keys.at(d.Strings.line, v-lineStrValue)
	case v >= supStrValue:
		if d.sup == nil {
			return 0
		}
		return d.keys.at(d.sup.Strings.str, v-supStrValue)
	case v >= strValue:
		return d.keys.at(d.Strings.str, v-strValue)
	}
	return StrKey(v)
}

// at is the key of the string at an offset of a section; 0 when there is none.
func (s *Strings) at(section []byte, off uint64) StrKey {
	if off >= uint64(len(section)) {
		return 0
	}
	b := section[off:]
	n := bytes.IndexByte(b, 0)
	if n < 0 {
		return 0
	}
	return s.inline(b[:n])
}

// add puts a string into the shared table.
func (s *Strings) add(b []byte) StrKey {
	s.mu.RLock()
	key, ok := s.lookup[string(b)]
	s.mu.RUnlock()
	if ok {
		return key
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if key, ok := s.lookup[string(b)]; ok {
		return key
	}
	if s.lookup == nil {
		s.lookup = make(map[string]StrKey)
	}
	key = keyOther | StrKey(len(s.other))
	own := bytes.Clone(b)
	s.other = append(s.other, own)
	s.lookup[string(own)] = key
	return key
}

// Key is a key for a text that does not come from the image.
func (s *Strings) Key(text string) StrKey {
	key := s.inline([]byte(text))
	if s.cut != nil && !s.isOwn(key) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.own == nil {
			s.own = make(map[StrKey]bool)
		}
		s.own[key] = true
	}
	return key
}
