package config

import "fmt"

// maxAlternatives bounds how many patterns the alternatives of a glob may multiply to.
const maxAlternatives = 1000

// Alternatives are the patterns that a glob stands for: a/{b,c} for a/b and a/c. The glob is well-formed.
func Alternatives(glob string) ([]string, error) {
	list, ok := appendAlternatives(nil, "", glob)
	if !ok {
		return nil, fmt.Errorf("glob %q has alternatives for more than %d patterns", glob, maxAlternatives)
	}
	return list, nil
}

// appendAlternatives appends what head and the alternatives of rest make. ok is false when these are too many.
func appendAlternatives(list []string, head, rest string) (_ []string, ok bool) {
	open := indexOutside(rest, '{')
	if open < 0 {
		return append(list, head+rest), len(list) < maxAlternatives
	}
	head, rest = head+rest[:open], rest[open+1:]
	end := closing(rest)
	inside, behind := rest[:end], rest[end+1:]
	for more := true; more; {
		one := inside
		comma := indexOutside(inside, ',')
		if more = comma >= 0; more {
			one, inside = inside[:comma], inside[comma+1:]
		}
		if list, ok = appendAlternatives(list, head, one+behind); !ok {
			return nil, false
		}
	}
	return list, true
}

// indexOutside is the first c of a pattern that is not escaped, nor in a class, nor, if it is a comma, in braces; -1 without one.
func indexOutside(pattern string, c byte) int {
	for i := 0; i < len(pattern); i++ {
		switch b := pattern[i]; {
		case b == c:
			return i
		case b == '\\':
			i++
		case b == '[':
			i += classEnd(pattern[i:])
		case b == '{' && c == ',':
			i += 1 + closing(pattern[i+1:])
		}
	}
	return -1
}

// closing is where the brace closes that was opened in front of a pattern.
func closing(pattern string) int {
	depth := 1
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '[':
			i += classEnd(pattern[i:])
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(pattern) - 1 // of well-formed patterns no brace stays open
}

// classEnd is where a class ends that a pattern starts with. Its first character, behind a ^ or !, may be the bracket itself.
func classEnd(pattern string) int {
	i := 1
	if i < len(pattern) && (pattern[i] == '^' || pattern[i] == '!') {
		i++
	}
	for first := true; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\':
			i++
		case pattern[i] == ']' && !first:
			return i
		}
		first = false
	}
	return len(pattern) - 1
}
