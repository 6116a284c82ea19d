package cause

// This file is the model: plain data that renderers, the batch's report and programs read. The JSON names are the schema that
// `btfbatch diff --format json` documents; fields may be added under one schema number, and none changes its meaning. Sizes and places
// are bytes unless a name says bits.

// A Kind is what a declaration is.
type Kind string

// The kinds of declarations, in the order in which counts and lists have them.
const (
	Struct  Kind = "struct"
	Union   Kind = "union"
	Enum    Kind = "enum" // of 32 bits or of 64
	Typedef Kind = "typedef"
	Int     Kind = "int"   // a number, a character or a boolean
	Float   Kind = "float" // a floating-point number
	Func    Kind = "func"
	Var     Kind = "var"
	Section Kind = "section"
	// Pointer is not declared anywhere: its one declaration says how large pointers are.
	Pointer Kind = "pointer"
	// Type is a type without a name that no declaration uses; only an exact comparison tells of it.
	Type Kind = "type"
	// Order stands for the order of types; only an exact comparison tells of it.
	Order Kind = "order"
)

// Kinds are all kinds, in their order.
var Kinds = []Kind{Struct, Union, Enum, Typedef, Int, Float, Func, Var, Section, Pointer, Type, Order}

// An Op says what became of something.
type Op string

// The operations. Renamed, Moved and Same are for parts of a declaration only.
const (
	Added   Op = "added"
	Removed Op = "removed"
	Changed Op = "changed"
	Renamed Op = "renamed" // the same thing under another name
	Moved   Op = "moved"   // the same thing at another place in the order
	Same    Op = "same"    // in a Signature only
)

// A Comparison is how two BTF objects differ. It is empty (Verdict.Equal) exactly when both mean the same; an exact one, when both have
// the same dump.
type Comparison struct {
	Schema int  `json:"schema"` // 2
	Exact  bool `json:"exact,omitempty"`
	Old    Side `json:"old"`
	New    Side `json:"new"`

	Verdict Verdict `json:"verdict"`
	// Causes are the declarations with changes of their own, by impact and then name. Every declaration that differs is exactly one
	// cause or one consequence.
	Causes []Cause `json:"causes"`
	// Consequences are the declarations of which only size, offsets or place changed, by kind and name.
	Consequences []Consequence `json:"consequences"`
	// Substitutions are replacements of one type by another in at least MinSubstitution places, the most frequent first.
	Substitutions []Substitution `json:"substitutions"`
	// Sections are those in which a variable differs, by name.
	Sections []SectionChange `json:"sections"`
	// Counts has a row for every kind that differs, in the order of Kinds.
	Counts []Count `json:"counts"`

	// Accepted says how many causes exceptions accept; StaleExceptions are those that accepted nothing.
	Accepted        int      `json:"accepted,omitempty"`
	StaleExceptions []string `json:"stale_exceptions,omitempty"`
	// Hidden counts the causes that filters left out of Causes.
	Hidden int `json:"hidden,omitempty"`
}

// A Side is one of the two objects.
type Side struct {
	Name   string `json:"name,omitempty"`   // for people: a path
	Digest string `json:"digest,omitempty"` // "sha256:" and the sum of the BTF, or of the text
	Types  int    `json:"types"`            // of its own, without those of its base
	// Selected says that the side has some declarations only; then the other side is compared as far as these go.
	Selected bool `json:"selected,omitempty"`
}

// A Verdict counts causes by severity, without those that are accepted.
type Verdict struct {
	Equal   bool `json:"equal"` // there is no cause and no consequence, accepted or not
	Break   int  `json:"break"`
	Neutral int  `json:"neutral"`
	Add     int  `json:"add"`
}

// A Size is how large something was and is. It is missing (nil) for what has no size.
type Size struct {
	Old uint64 `json:"old"` // 0 if it was not there
	New uint64 `json:"new"` // 0 if it is not there any more
}

// Delta is how many bytes were gained.
func (s *Size) Delta() int64 {
	if s == nil {
		return 0
	}
	return int64(s.New - s.Old)
}

// A Cause is a declaration that itself says something else than before.
type Cause struct {
	ID   int    `json:"id"`  // its place in Comparison.Causes, from 1
	Key  string `json:"key"` // the same for the same change in other images and kernels: "struct/task_struct/1f0c99b2e4"
	Kind Kind   `json:"kind"`
	// Name is the declaration's name; of an enum, struct or union that has none and that nothing refers to, its spelling.
	Name string `json:"name"`
	Op   Op     `json:"op"`
	// Old and New count the declarations of this kind and name on either side, where one side has several: they are matched by content.
	OldCopies int `json:"old_copies,omitempty"`
	NewCopies int `json:"new_copies,omitempty"`
	// Base says that the declaration is one of the bases that the two objects continue.
	Base bool `json:"base,omitempty"`

	Severity Severity `json:"severity"` // the gravest of its changes
	Rules    []Rule   `json:"rules"`    // of its changes, each once, in the order of Rules
	Size     *Size    `json:"size,omitempty"`

	// Members are its own changes, in the order of the declaration; those that were removed come where they were.
	Members []Change `json:"members,omitempty"`
	// Signature spells a function that changed, parameter by parameter: first what it returns, then its parameters.
	Signature []Change `json:"signature,omitempty"`
	// Declaration spells what was added or removed, where it fits a line: `int f(struct s *p)`.
	Declaration string `json:"declaration,omitempty"`
	// Shifts are the members that are as they were, but at other offsets.
	Shifts []Shift `json:"shifts,omitempty"`

	// Because are declarations that it holds by value, or that stand before it, and that changed their size as well.
	Because []Ref `json:"because,omitempty"`
	// Impact is what follows from it.
	Impact Impact `json:"impact"`

	// Substitution is the place, from 1, in Comparison.Substitutions of the one that explains all of Members; 0 when there is none.
	// Such a cause need not be shown beside the substitution.
	Substitution int `json:"substitution,omitempty"`
	// Accepted is the reason by which an exception accepts the cause.
	Accepted string `json:"accepted,omitempty"`
}

// A Part is what of a declaration a Change is about.
type Part string

// The parts.
const (
	Member     Part = "member"     // of a struct or union
	Enumerator Part = "enumerator" // of an enum
	Returned   Part = "return"     // what a function returns
	Parameter  Part = "parameter"
	Target     Part = "type"  // of a typedef or a variable
	Whole      Part = "whole" // the declaration as such: added, removed, only declared and then defined
	SizePart   Part = "size"  // of what nothing explains
	Linkage    Part = "linkage"
	Place      Part = "place"    // of a variable: its section, or its place there
	Encoding   Part = "encoding" // of a number: how it is read
	Tag        Part = "tag"
	Copies     Part = "copies" // how many declarations of one name and content there are
	Ids        Part = "ids"    // the order of types
)

// A Change is one statement about a part of a declaration.
type Change struct {
	Part Part `json:"part"`
	// Path names the part: a member from the outside in ("lru", "cgrp.flags"; anonymous structs and unions in between have no share in
	// it), an enumerator, a parameter, or "" for a part that there is one of.
	Path     string   `json:"path,omitempty"`
	Op       Op       `json:"op"`
	Rule     Rule     `json:"rule,omitempty"`
	Severity Severity `json:"severity,omitempty"`
	// Old and New are what the part was and is: a type as C spells it, a value, a word. Empty where the part is not there.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// OldPath is the name before a rename.
	OldPath string `json:"old_path,omitempty"`
	// OldAt and NewAt are where a member or variable was and is.
	OldAt *Extent `json:"old_at,omitempty"`
	NewAt *Extent `json:"new_at,omitempty"`
	// Hint says in words what else changed alike: "as enumerator CGROUP_SUBSYS_COUNT 7 → 8". It never decides anything.
	Hint string `json:"hint,omitempty"`
	// Substitution is the place, from 1, in Comparison.Substitutions of the one that this is a case of.
	Substitution int `json:"substitution,omitempty"`
}

// An Extent is where something is and how large it is.
type Extent struct {
	Bit   uint64 `json:"bit"`              // from the start of the struct or section, in bits
	Bits  uint64 `json:"bits,omitempty"`   // the width of a bit field
	Bytes uint64 `json:"bytes"`            // the size of its type; 0 if nobody knows
	Nest  string `json:"inside,omitempty"` // anonymous structs and unions around it, from the outside in: "union, struct"
}

// A Shift is a run of members, or of variables, that all moved by the same distance.
type Shift struct {
	From  string `json:"from"` // the first of the run
	To    string `json:"to"`   // the last of the run
	Count int    `json:"count"`
	Bytes int64  `json:"bytes"` // positive: away from the start; rounded towards it
	Bits  int64  `json:"bits"`  // the same in bits
}

// A Ref names another declaration that differs.
type Ref struct {
	Kind  Kind   `json:"kind"`
	Name  string `json:"name"`
	Cause int    `json:"cause,omitempty"` // its ID if it is a cause, 0 if it is a consequence
	Op    Op     `json:"op"`
	Size  *Size  `json:"size,omitempty"`
}

// An Impact counts what follows from a cause. A function or variable counts if its declaration mentions the type or one that follows from
// it, by value or as what a pointer points to.
type Impact struct {
	Types  int   `json:"types"`
	Funcs  int   `json:"funcs"`
	Vars   int   `json:"vars"`
	Sample []Ref `json:"sample,omitempty"` // the first types that follow, those that hold it directly before others
}

// Total is the number by which causes are ordered.
func (i Impact) Total() int { return i.Types + i.Funcs + i.Vars }

// A Consequence is a declaration of which only size, offsets or place changed, and others explain that.
type Consequence struct {
	Kind   Kind    `json:"kind"`
	Name   string  `json:"name"`
	Base   bool    `json:"base,omitempty"` // as for a Cause
	Size   *Size   `json:"size,omitempty"`
	OldAt  *Extent `json:"old_at,omitempty"` // of a variable
	NewAt  *Extent `json:"new_at,omitempty"`
	Shifts []Shift `json:"shifts,omitempty"`
	// Because are what explains it directly: declarations that it holds by value, or variables before it. These may be consequences.
	Because []Ref `json:"because"`
	// Roots are the IDs of the causes behind it, the first MaxRoots by ID.
	Roots []int `json:"roots"`
}

// A Substitution is one type that took the place of another in many declarations.
type Substitution struct {
	Part  Part   `json:"part"` // Parameter, Returned, Member or Target
	Old   string `json:"old"`  // as C spells it
	New   string `json:"new"`
	Count int    `json:"count"` // places
	// Causes are the IDs of the causes that have such a place, each once.
	Causes   []int    `json:"causes"`
	Severity Severity `json:"severity"`
}

// A SectionChange is how the variables of a section differ.
type SectionChange struct {
	Name string `json:"name"`
	Size Size   `json:"size"`
	Vars Size   `json:"vars"` // how many there were and are
	// Causes are the IDs of variables that were added, removed, retyped, moved past others or aligned otherwise, by place.
	Causes []int `json:"causes"`
	// Grown are the variables that changed their size because their type did, by place.
	Grown []Consequence `json:"grown,omitempty"`
	// Shifts are all variables that only moved, by distance, the most frequent first. Here From is the first of them.
	Shifts []Shift `json:"shifts,omitempty"`
}

// A Count says how many declarations of a kind differ.
type Count struct {
	Kind     Kind `json:"kind"`
	Added    int  `json:"added"`
	Removed  int  `json:"removed"`
	Changed  int  `json:"changed"`
	Followed int  `json:"followed"` // consequences
	Accepted int  `json:"accepted,omitempty"`
}

// Bounds of the model. Lists that they cut have a count beside them.
const (
	MinSubstitution = 5 // places
	MaxRoots        = 8
	maxSample       = 4
)
