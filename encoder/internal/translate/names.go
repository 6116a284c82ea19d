package translate

// maxIdentifier is as long as names may be in kernels before 6.1.
const maxIdentifier = 127

// IsIdentifier reports whether every kernel takes a text as the name of a type, member, enumerator, parameter or function.
func IsIdentifier(name []byte) bool {
	if len(name) == 0 || len(name) > maxIdentifier || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for _, c := range name {
		if !inIdentifiers[c] {
			return false
		}
	}
	return true
}

// Identifier makes a name one that every kernel takes: every byte that may not stand in one is an underscore, and what is too long is
// cut.
func Identifier(name []byte) []byte {
	own := append([]byte(nil), name[:min(len(name), maxIdentifier)]...)
	for i, c := range own {
		if !inIdentifiers[c] || i == 0 && c >= '0' && c <= '9' {
			own[i] = '_'
		}
	}
	return own
}

// inIdentifiers are the bytes of identifiers; a dot is as good as a letter.
var inIdentifiers = func() (t [256]bool) {
	for c := range t {
		t[c] = c == '_' || c == '.' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	return t
}()
