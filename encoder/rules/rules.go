package rules

// A Set is the set of rules that apply. A rule has the name of the function in a peer.go that checks for it.
type Set uint64

// The rules of package encoder.
const (
	OtherSymbols Set = 1 << iota
	FollowsSignatures
	LeavesOutAll
	NamesCount
	ReadsSplit

	// Of encoder/elf.
	AsPeer
	PeerKinds
	Relocate
	PeerSkips
	PeerWaiting

	// Of encoder/internal/translate.
	OddInteger
	OddEnum
	Foreign
	LeaveOut
	LostType
	Unspecified
	NamelessDecl
	NamelessTypedef
	NamelessBase
	OddFloat
	NamelessEnumerator
	EmptyTag
	EmptyDeclTag
	LowerBound
	UnseenChain
	Completed
	KeepsNames // used by encoder and encoder/internal/funcs too
	ConfuseTypeUnits
	EmptyStub
	StaticMember
	FieldBits
	KeepsUnsized
	UnknownTag
	NoteUnlessQuiet

	// Of encoder/internal/funcs.
	PeerConventions
	UndefinedCounts
	Address
	PeerAmbiguous
	LastNeverAmbiguous
	MemoryUse
	LostInMemory
	NamedAfterMember
	FlagsAtSymbol
	LastIDs
	MaxName
	PeerRuns

	// Of encoder/internal/vars.
	PeerHoldsVariables
	PeerWants
	JudgePeer
	NotVariables
	VoidIsSizeZero
	ValidName
	PeerEntries
	PeerOrder

	// Of encoder/internal/dedup.
	IdenticalArrays
	BaseTypedefSignature

	// Of cmd/internal/pahole.
	PeerReason
	IgnoredSet

	end
)

// The sets of the profiles.
const (
	Pahole  = end - 1
	Default = MaxName | PeerRuns | ValidName | IdenticalArrays
)

// Has reports whether a rule applies.
func (s Set) Has(rule Set) bool { return s&rule != 0 }

// Each calls yield for the rules of the set, one by one, until yield returns false.
func (s Set) Each(yield func(rule Set) bool) {
	for rest := s; rest != 0; rest &= rest - 1 {
		if !yield(rest & -rest) {
			return
		}
	}
}
