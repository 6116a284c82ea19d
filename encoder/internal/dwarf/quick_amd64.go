//go:build amd64 && !purego

package dwarf

import "golang.org/x/sys/cpu"

// shuffles reports whether the processor has the instructions of quickShuffled. All but the first processors for amd64 have them.
var shuffles = cpu.X86.HasSSSE3 && cpu.X86.HasSSE41

// quick reads the DIEs of a run from pos on, as long as their abbreviations have one byte and are quick ones of this kind, and they have no error. It
// stores three words for each DIE, or two for parameters, of which the next overwrites the third. n is the number of words, and next the position
// after the DIEs.
func quick(low *[lowCodes]Abbrev, data []byte, pos, end int, kind RunKind, words *[quickWords]uint32, limits *bounds) (n, next int) {
	if !shuffles || limits.refs == 0 {
		return quickly(low, data, pos, end, kind, words, limits)
	}
	_ = data[end+quickSpan]
	return quickShuffled(low, data, pos, end, kind, words, limits)
}

// quickShuffled is quick. pos is less than end, after which data has quickSpan bytes, and some references are valid.
//
//go:noescape
func quickShuffled(low *[lowCodes]Abbrev, data []byte, pos, end int, kind RunKind, words *[quickWords]uint32, limits *bounds) (n, next int)
