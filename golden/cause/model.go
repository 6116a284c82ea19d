package cause

// This file is the model: plain data for renderers, the batch's report and other programs. The JSON names are the schema that `btfbatch
// diff --format json` documents; golden/report/report.schema.json has every field as well. Under one schema number, fields may be added, and
// none changes its meaning. Sizes and places are in bytes unless a name says bits.

// A Kind is what a declaration is.
type Kind string

// The kinds of declarations, in the order of counts and lists.
const (
	Struct  Kind = "struct"
	Union   Kind = "union"
	Enum    Kind = "enum" // of 32 or 64 bits
	Typedef Kind = "typedef"
	Int     Kind = "int"   // a number, a character or a boolean
	Float   Kind = "float" // a floating-point number
	Func    Kind = "func"
	Var     Kind = "var"
	Section Kind = "section"
	// Pointer is a pseudo-declaration for the size of pointers.
	Pointer Kind = "pointer"
	// Type is a type without a name that no declaration uses. Only an exact comparison reports it.
	Type Kind = "type"
	// Order stands for the order of types. Only an exact comparison reports it.
	Order Kind = "order"
)

// Kinds lists all kinds, in their order.
var Kinds = []Kind{Struct, Union, Enum, Typedef, Int, Float, Func, Var, Section, Pointer, Type, Order}

// An Op is the operation that turned the old state into the new one.
type Op string

// The operations. Renamed, Moved and Same apply only to parts of a declaration.
const (
	Added   Op = "added"
	Removed Op = "removed"
	Changed Op = "changed"
	Renamed Op = "renamed" // the same part under another name
	Moved   Op = "moved"   // the same part at another place in the order
	Same    Op = "same"    // in a Signature only
)

// A Comparison holds the differences between two BTF objects. It is empty (Verdict.Equal) exactly if both have the same meaning, or, for an
// exact comparison, the same dump.
type Comparison struct {
	Schema int  `json:"schema"` // 2
	Exact  bool `json:"exact,omitempty"`
	Old    Side `json:"old"`
	New    Side `json:"new"`

	Verdict Verdict `json:"verdict"`
	// Causes are the declarations with changes of their own, by impact and then name; accepted ones come last. Every declaration that differs is exactly one cause
	// or one consequence.
	Causes []Cause `json:"causes"`
	// Consequences are the declarations in which only size, offsets or place changed, by kind and name.
	Consequences []Consequence `json:"consequences"`
	// Substitutions are replacements of one type by another in at least MinSubstitution places, the most frequent first.
	Substitutions []Substitution `json:"substitutions"`
	// Sections are the sections in which a variable differs, by name.
	Sections []SectionChange `json:"sections"`
	// Counts has a row for every kind with differences, in the order of Kinds.
	Counts []Count `json:"counts"`
	// Layouts are those of the first changed structs and unions, if Options ask for them. They are not part of the JSON form.
	Layouts []Layout `json:"-"`

	// Accepted is the number of causes that exceptions and allowed rules accept. StaleExceptions are the exceptions that accepted nothing.
	Accepted        int      `json:"accepted,omitempty"`
	StaleExceptions []string `json:"stale_exceptions,omitempty"`
	// Acceptances are the exceptions and allowed rules that accepted something, in their order.
	Acceptances []Acceptance `json:"acceptances,omitempty"`
	// Hidden is the number of causes that filters removed from Causes.
	Hidden int `json:"hidden,omitempty"`
	// Omitted counts what Cut left out; nil if the comparison is complete.
	Omitted *Omitted `json:"omitted,omitempty"`
}

// A Side is one of the two BTF objects.
type Side struct {
	Name   string `json:"name,omitempty"`   // for display: a path
	Digest string `json:"digest,omitempty"` // "sha256:" and the sum of the BTF, or of the text
	Types  int    `json:"types"`            // number of its own types, without those of its base
	// Selected is set if the side has only selected declarations, and the sizes of what these hold.
	Selected bool `json:"selected,omitempty"`
}

// A Verdict counts causes by severity. Accepted causes do not count.
type Verdict struct {
	Equal   bool `json:"equal"` // there are no causes and no consequences, accepted or not
	Break   int  `json:"break"`
	Neutral int  `json:"neutral"`
	Add     int  `json:"add"`
}

// A Size is a size before and after, in bytes. It is missing (nil) if the declaration has no size.
type Size struct {
	Old uint64 `json:"old"` // 0 if the old side does not have it
	New uint64 `json:"new"` // 0 if the new side does not have it
}

// Delta returns the growth in bytes, negative if it shrank.
func (s *Size) Delta() int64 {
	if s == nil {
		return 0
	}
	return int64(s.New - s.Old)
}

// A Cause is a declaration with changes of its own.
type Cause struct {
	ID   int    `json:"id"`  // its place in Comparison.Causes, from 1
	Key  string `json:"key"` // the same for the same change in other images and kernels: "struct/task_struct/1f0c99b2e4"
	Kind Kind   `json:"kind"`
	// Name is the declaration's name. An enum, struct or union that has no name, and that nothing refers to, has its spelling here.
	Name string `json:"name"`
	Op   Op     `json:"op"`
	// OldCopies and NewCopies count the declarations of this kind and name, if a side has several. They are matched by content.
	OldCopies int `json:"old_copies,omitempty"`
	NewCopies int `json:"new_copies,omitempty"`
	// Base is set if the declaration belongs to the bases of the two BTF objects.
	Base bool `json:"base,omitempty"`

	Severity Severity `json:"severity"` // the most severe of its changes
	Rules    []Rule   `json:"rules"`    // of its changes, each once, in the order of Rules
	Size     *Size    `json:"size,omitempty"`

	// RenamedTo is set on a removed declaration, and RenamedFrom on an added one, if they are one declaration under two names: they have the same
	// content, and no other one that was added or removed has it.
	RenamedTo   string `json:"renamed_to,omitempty"`
	RenamedFrom string `json:"renamed_from,omitempty"`

	// Members are its own changes, in the order of the declaration. Removed members are at their old position.
	Members []Change `json:"members,omitempty"`
	// Signature spells a changed function: first the return type, then each parameter.
	Signature []Change `json:"signature,omitempty"`
	// Declaration spells a declaration that was added or removed, if it fits a line: `int f(struct s *p)`.
	Declaration string `json:"declaration,omitempty"`
	// Shifts are the unchanged members at other offsets.
	Shifts []Shift `json:"shifts,omitempty"`

	// Because are declarations that it holds by value, or variables before it, whose size changed as well.
	Because []Ref `json:"because,omitempty"`
	// Impact counts what follows from it.
	Impact Impact `json:"impact"`

	// Substitution is the index, from 1, in Comparison.Substitutions of the substitution that explains all of Members, or 0 if there is
	// none. Such a cause can be omitted if the substitution is shown.
	Substitution int `json:"substitution,omitempty"`
	// Accepted is the reason given in the exception that accepts the cause. AcceptedBy are the indices, from 1, in Comparison.Acceptances of
	// what accepts it: one exception, or an allowed rule for each of Rules.
	Accepted   string `json:"accepted,omitempty"`
	AcceptedBy []int  `json:"accepted_by,omitempty"`
	// NotAccepted says why an exception or allowed rule that seems to mean the cause does not accept it.
	NotAccepted string `json:"not_accepted,omitempty"`
}

// An Acceptance is an exception or an allowed rule that accepts causes.
type Acceptance struct {
	By     string `json:"by"`     // "exceptions.yaml:12: added FUNC __pfx_*", "allow: member-added task_*"
	Reason string `json:"reason"` // given in the exception
	Count  int    `json:"count"`  // number of causes
	// Sample names the first of these causes: "func __pfx_a".
	Sample []string `json:"sample,omitempty"`
	// Consequences is the number of consequences that the exception names. These are accepted with their causes in any case.
	Consequences int `json:"consequences,omitempty"`
}

// A Part is the part of a declaration that a Change is about.
type Part string

// The parts.
const (
	Member     Part = "member"     // of a struct or union
	Enumerator Part = "enumerator" // of an enum
	Returned   Part = "return"     // the return type of a function
	Parameter  Part = "parameter"
	Target     Part = "type"  // of a typedef or a variable
	Whole      Part = "whole" // the declaration itself: added, removed, or only declared on one side
	SizePart   Part = "size"  // an unexplained size
	Linkage    Part = "linkage"
	Place      Part = "place"    // of a variable: its section, or its place there
	Encoding   Part = "encoding" // of a number: sign, character or boolean
	Tag        Part = "tag"
	Copies     Part = "copies" // the number of declarations with one name and content
	Ids        Part = "ids"    // the order of types
)

// A Change is one change of a part of a declaration.
type Change struct {
	Part Part `json:"part"`
	// Path names the part: the path of a member ("lru", "cgrp.flags"; without anonymous structs and unions in between), an enumerator, a
	// parameter, or "" if a declaration has only one such part.
	Path     string   `json:"path,omitempty"`
	Op       Op       `json:"op"`
	Rule     Rule     `json:"rule,omitempty"`
	Severity Severity `json:"severity,omitempty"`
	// Old and New are the part before and after: a type as C spells it, a value, a word. They are empty if that side does not have the
	// part.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// OldPath is the name before a rename.
	OldPath string `json:"old_path,omitempty"`
	// OldAt and NewAt are the places of a member or variable before and after.
	OldAt *Extent `json:"old_at,omitempty"`
	NewAt *Extent `json:"new_at,omitempty"`
	// Hint names another change of the same amount: "as enumerator CGROUP_SUBSYS_COUNT 7 → 8". It has no effect on the result.
	Hint string `json:"hint,omitempty"`
	// Substitution is the index, from 1, in Comparison.Substitutions of the substitution that this change belongs to.
	Substitution int `json:"substitution,omitempty"`
}

// An Extent is a place and a size.
type Extent struct {
	Bit   uint64 `json:"bit"`              // from the start of the struct or section, in bits
	Bits  uint64 `json:"bits,omitempty"`   // the width of a bit field
	Bytes uint64 `json:"bytes"`            // the size of its type; 0 if it is not known
	Nest  string `json:"inside,omitempty"` // the anonymous structs and unions around it, from the outermost one: "union, struct"
}

// A Shift is a run of members, or of variables, that all moved by the same distance.
type Shift struct {
	From  string `json:"from"` // the first of the run
	To    string `json:"to"`   // the last of the run
	Count int    `json:"count"`
	Bytes int64  `json:"bytes"` // positive: away from the start; rounded towards the start
	Bits  int64  `json:"bits"`  // the same in bits
}

// A Ref refers to another declaration that differs.
type Ref struct {
	Kind  Kind   `json:"kind"`
	Name  string `json:"name"`
	Cause int    `json:"cause,omitempty"` // its ID if it is a cause, 0 if it is a consequence
	Op    Op     `json:"op"`
	Size  *Size  `json:"size,omitempty"`
}

// An Impact counts what follows from a cause. A function or variable counts if its declaration mentions the type, or a type that follows
// from it, by value or through a pointer.
type Impact struct {
	Types  int   `json:"types"`
	Funcs  int   `json:"funcs"`
	Vars   int   `json:"vars"`
	Sample []Ref `json:"sample,omitempty"` // the first types that follow; types that hold it directly come first
}

// Total is the number by which causes are sorted.
func (i Impact) Total() int { return i.Types + i.Funcs + i.Vars }

// A Consequence is a declaration in which only size, offsets or place changed, and other declarations explain that.
type Consequence struct {
	Kind   Kind    `json:"kind"`
	Name   string  `json:"name"`
	Base   bool    `json:"base,omitempty"` // see Cause
	Size   *Size   `json:"size,omitempty"`
	OldAt  *Extent `json:"old_at,omitempty"` // of a variable
	NewAt  *Extent `json:"new_at,omitempty"`
	Shifts []Shift `json:"shifts,omitempty"`
	// Because are the declarations that explain it directly: types that it holds by value, or variables before it. They may be consequences
	// themselves.
	Because []Ref `json:"because"`
	// Roots are the IDs of the causes that lead to it, at most MaxRoots, the lowest first.
	Roots []int `json:"roots"`
}

// A Substitution is the replacement of one type by another in many declarations.
type Substitution struct {
	Part  Part   `json:"part"` // Parameter, Returned, Member or Target
	Old   string `json:"old"`  // as C spells it
	New   string `json:"new"`
	Count int    `json:"count"` // number of places
	// Causes are the IDs of the causes with such a place, each once.
	Causes   []int    `json:"causes"`
	Severity Severity `json:"severity"`
}

// A SectionChange describes the differences between the variables of a section.
type SectionChange struct {
	Name string `json:"name"`
	Size Size   `json:"size"`
	Vars Size   `json:"vars"` // number of variables
	// Causes are the IDs of variables that were added, removed, retyped, moved past others or aligned differently, by place.
	Causes []int `json:"causes"`
	// Grown are the variables whose size changed because their type's size did, by place.
	Grown []Consequence `json:"grown,omitempty"`
	// Shifts are all variables that only moved, by distance, the most frequent first. From is the first variable.
	Shifts []Shift `json:"shifts,omitempty"`
}

// A Count is the number of declarations of a kind that differ.
type Count struct {
	Kind     Kind `json:"kind"`
	Added    int  `json:"added"`
	Removed  int  `json:"removed"`
	Changed  int  `json:"changed"`
	Followed int  `json:"followed"` // consequences
	Accepted int  `json:"accepted,omitempty"`
}

// Limits of the model. A list that is cut has a count in another field.
const (
	MinSubstitution = 5 // places
	MaxRoots        = 8
	maxSample       = 4
)
