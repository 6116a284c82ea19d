package elf

import (
	"strings"
	"testing"
)

// TestEqualStrings: a string that ends where another one goes on is not equal to it, whatever byte that goes on with, and wherever in a word.
func TestEqualStrings(t *testing.T) {
	for place := range 9 {
		for next := 1; next < 256; next++ {
			before := strings.Repeat("a", place)
			long := before + string([]byte{byte(next)}) + "bcdefghij\x00"
			data := []byte(long + before + "\x00bcdefghij\x00" + long + "\x00")
			s := firstStrings{data: data}
			if length, same := s.equal(0, len(long)); same {
				t.Errorf("%q equals %q: length %d", long, before, length)
			}
			if length, same := s.equal(0, len(long)+place+11); !same || length != len(long)-1 {
				t.Errorf("%q does not equal itself: %d, %v", long, length, same)
			}
		}
	}
}
