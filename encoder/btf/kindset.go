package btf

// A KindSet is a set of kinds: bit k stands for Kind k. A kind this package does not know is in no set.
type KindSet uint32

// The sets that several rooms ask about. They are constants, so that Has compiles to a bit test.
const (
	// Qualifiers are the three qualifiers of C.
	Qualifiers KindSet = 1<<KindConst | 1<<KindVolatile | 1<<KindRestrict

	// Modifiers stand for the type they refer to: they have its size, its layout and its values.
	Modifiers = Qualifiers | 1<<KindTypedef | 1<<KindTypeTag

	// References hold one type id and perhaps a name, nothing else.
	References = Modifiers | 1<<KindPtr

	// Composites have members.
	Composites KindSet = 1<<KindStruct | 1<<KindUnion

	// Enums have enumerators.
	Enums KindSet = 1<<KindEnum | 1<<KindEnum64

	// Sized kinds have their size in bytes in the third word.
	Sized = Composites | Enums | 1<<KindInt | 1<<KindFloat | 1<<KindDatasec
)

// Kinds is the set of the given kinds.
func Kinds(kinds ...Kind) (s KindSet) {
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in the set.
func (s KindSet) Has(k Kind) bool { return k < NumKinds && s>>k&1 != 0 }

// HasKnown is Has for a kind below NumKinds, as records have that the program itself made: hot loops save the comparison.
func (s KindSet) HasKnown(k Kind) bool { return s>>(k&31)&1 != 0 }
