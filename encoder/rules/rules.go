// Package rules names the rules by which pahole encodes and btfbatch's own profile does not, one bit for each.
//
// A set of them is in the options of every room: a room asks in its peer.go whether a rule holds, and takes pahole's way or the other.
// The profile pahole is all rules, the profile default those that it shares; tests leave one out, to see that its fixture shows it.
// The package holds no behaviour. docs/rules.md says what the rules are.
package rules

// A Set is the rules that hold. A bit is named after the function of the peer.go that asks for it.
type Set uint64

// The rules of the room encoder.
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
	KeepsNames // of encoder and encoder/internal/funcs too
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

// Has tells whether a rule holds.
func (s Set) Has(rule Set) bool { return s&rule != 0 }

// Each gives the rules of a set one by one.
func (s Set) Each(yield func(rule Set) bool) {
	for rest := s; rest != 0; rest &= rest - 1 {
		if !yield(rest & -rest) {
			return
		}
	}
}
