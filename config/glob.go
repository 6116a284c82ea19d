package config

import "fmt"

// maxAlternatives limits the number of patterns that a glob can expand to.
const maxAlternatives = 1000

// Alternatives expands a well-formed glob to its patterns: a/{b,c} to a/b and a/c.
func Alternatives(glob string) ([]string, error) {
	list, ok := appendAlternatives(nil, "", glob)
	if !ok {
		return nil, fmt.Errorf("glob %q has alternatives for more than %d patterns", glob, maxAlternatives)
	}
	return list, nil
}

// appendAlternatives appends head combined with each alternative of rest. ok is false if there are too many.
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

// indexOutside returns the index of the first c that is not escaped, not in a class and, for a comma, not in braces; or -1.
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

// closing returns the index of the brace that closes the one before the pattern.
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
	return len(pattern) - 1 // not reached: in a well-formed pattern every brace is closed
}

// classEnd returns the end of the class at the start of a pattern. The first character, after ^ or !, may be ] itself.
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
