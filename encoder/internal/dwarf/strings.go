package dwarf

import (
	"bytes"
	"sync"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// A StrKey identifies a string without a copy of it; 0 is "no string". In one linked image, equal keys stand for equal strings, and equal strings
// nearly always have equal keys. Callers that need certainty compare the bytes.
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

// Strings returns the bytes of string keys. It may be used by several goroutines at the same time.
type Strings struct {
	str, line []byte
	merged    *elf.MergedStrings // of str in a relocatable file, whose names refer to the first of equal strings; or nil
	several   bool               // equal strings of str have several keys
	cut       []byte             // see Cut

	mu     sync.RWMutex
	other  [][]byte
	lookup map[string]StrKey
	own    map[StrKey]bool // keys of texts that do not come from the image; only if cut is set
}

// Append appends the bytes of a key to dst.
func (s *Strings) Append(dst []byte, key StrKey) []byte {
	return append(dst, s.Get(key, new([4]byte))...)
}

// Cut shortens all strings that begin with a prefix to the prefix, so that different keys can stand for equal strings. An empty prefix changes
// nothing. Cut must be called before strings are read.
func (s *Strings) Cut(prefix string) {
	if prefix != "" {
		s.cut = []byte(prefix)
	}
}

// Get returns the bytes of a key. Short strings are written to scratch. The result must not be changed.
func (s *Strings) Get(key StrKey, scratch *[4]byte) []byte {
	b := s.whole(key, scratch)
	if s.cut != nil && !s.isOwn(key) {
		return s.shortened(b)
	}
	return b
}

// shortened returns a string of the image, cut to the prefix of Cut if it begins with that.
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

// whole returns the bytes of a key as they are in the image.
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

// Prefetch reads the first byte of a string of .debug_str, to load it into the cache. The result has no meaning.
func (s *Strings) Prefetch(key StrKey) byte {
	if i := uint(key - 1); i < uint(len(s.str)) {
		return s.str[i]
	}
	return 0
}

// Section returns .debug_str, which must not be changed. It leaves out strings that equal an earlier one if they were merged.
func (s *Strings) Section() []byte {
	if s.merged != nil {
		return s.merged.Distinct()
	}
	return s.str
}

// Merged reports whether equal strings of .debug_str have one key: in a linked image, and in a relocatable file that relocates all of its
// names.
func (s *Strings) Merged() bool { return s.merged != nil || !s.several }

// FewDistinct reports whether equal strings of a relocatable file were merged. Then few of the offsets in .debug_str are keys, and the section does not
// consist of zeros.
func (s *Strings) FewDistinct() bool { return s.merged != nil }

// Listed reports whether a key is that of a string in Section that is not the end of another one, or of a short one.
func (s *Strings) Listed(key StrKey) bool {
	return key < keyShort && (key < 2 || uint64(key-2) < uint64(len(s.str)) && s.str[key-2] == 0) || key >= keyShort && key < keyOther
}

// Size returns the length of .debug_str in bytes. Keys up to Size are offsets in .debug_str plus 1.
func (s *Strings) Size() int { return len(s.str) }

// Each calls do with every string of .debug_str that starts in the range of offsets [from, to), in order, with its key and the text that Get
// returns. It leaves out strings that are the end of another string, although they have keys too, and strings that were merged with an earlier
// one.
func (s *Strings) Each(from, to uint64, do func(key StrKey, text []byte)) {
	if s.merged != nil {
		s.merged.Each(from, min(to, keyMask), func(off uint64, text []byte) { do(StrKey(off)+1, s.shortened(text)) })
		return
	}
	at := int(min(from, uint64(len(s.str))))
	if at > 0 { // the rest of a string that starts before from is skipped
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

// Equal reports whether a key stands for the given text.
func (s *Strings) Equal(key StrKey, text string) bool {
	var scratch [4]byte
	return string(s.Get(key, &scratch)) == text
}

// Empty reports whether a key stands for no string or the empty string.
func (s *Strings) Empty(key StrKey) bool {
	if 0 < key && key < keyShort {
		return int(key-1) >= len(s.str) || s.str[key-1] == 0
	}
	var scratch [4]byte
	return key == 0 || len(s.Get(key, &scratch)) == 0
}

// inline returns the key of a string that is stored in .debug_info.
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

// strp returns the key of the string at an offset of .debug_str; 0 if there is none.
func (s *Strings) strp(off uint64) StrKey {
	if off >= uint64(len(s.str)) || off >= keyMask {
		return 0
	}
	return StrKey(off) + 1
}

// strp returns the key of the string at an offset of this file's .debug_str; 0 if there is none.
func (d *Data) strp(off uint64) StrKey {
	if d.keys == &d.Strings {
		return d.Strings.strp(off)
	}
	return d.keys.at(d.Strings.str, off)
}

// elsewhere returns the key for the value of a slot. The value is a key, or a marked offset in a section whose offsets are not keys.
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

// at returns the key of the string at an offset of a section; 0 if there is none.
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

// add adds a string to the table of other strings, and returns its key.
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

// Key returns a key for a text that does not come from the image.
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
