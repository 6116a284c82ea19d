// Package bound limits the memory that a YAML text can take.
//
// The problem: a parser of YAML makes a node of some two hundred bytes for every value and comment, and a value takes two bytes of text. A few
// megabytes of brackets would take gigabytes before anybody could look at what is in them.
//
// Input: a text. Output: how many nodes it can have at most. Never: the package parses nothing, allocates nothing, and says nothing about whether
// the text is valid.
package bound

import (
	"bytes"
	"strings"
)

// comment is the number of values that take as much memory as a comment.
const comment = 3

// Nodes returns an upper bound of the number of values of a YAML text, where a comment counts as three. It counts the characters that begin one, wherever they are:
// also those in quotes and comments, because only a parser can tell them apart. For a text as people and programs write it, the bound is less than
// three times the number.
func Nodes(text []byte) int {
	wide := bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) // UTF-16: neighbours are zero bytes
	n := 1
	for i, c := range text {
		switch c {
		case '[':
			n++
		case '{', ',': // before a key, with or without a value
			n += 2
		case ':', '?': // a key and a value, unless they are inside a word
			if wide || !ordinary(text, i-1) || !ordinary(text, i+1) {
				n += 2
			}
		case '-':
			if wide || blank(text, i+1) {
				n++
			}
		case '#': // a comment takes as much memory as several values
			if wide || blank(text, i-1) {
				n += comment
			}
		}
	}
	return n
}

// blank reports whether there is white space, or nothing.
func blank(text []byte, i int) bool {
	return i < 0 || i >= len(text) || text[i] <= ' ' || text[i] >= 0x80 // some line breaks are not ASCII
}

// ordinary reports whether there is a character of a word.
func ordinary(text []byte, i int) bool {
	return !blank(text, i) && !strings.ContainsRune(`[]{},"':?`, rune(text[i]))
}
