package translate

// maxIdentifier is the maximum length of a name in kernels before 6.1.
const maxIdentifier = 127

// IsIdentifier reports whether every kernel accepts name as the name of a type, member, enumerator, parameter or function.
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

// Identifier changes a name into one that every kernel accepts: bytes that are not allowed become underscores, and names that are
// too long are cut.
func Identifier(name []byte) []byte {
	own := append([]byte(nil), name[:min(len(name), maxIdentifier)]...)
	for i, c := range own {
		if !inIdentifiers[c] || i == 0 && c >= '0' && c <= '9' {
			own[i] = '_'
		}
	}
	return own
}

// inIdentifiers are the bytes that identifiers may have; kernels treat a dot like a letter.
var inIdentifiers = func() (t [256]bool) {
	for c := range t {
		t[c] = c == '_' || c == '.' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	return t
}()
