package cause

import "slices"

// A Severity is the effect of a change on a program that was built for the old side and relocates itself (CO-RE).
type Severity string

// The severities.
const (
	Break   Severity = "break"   // a program that uses it can fail
	Neutral Severity = "neutral" // programs adapt by themselves, or see no difference
	Add     Severity = "add"     // something was added
)

// grave returns the order of a severity.
func grave(s Severity) int {
	switch s {
	case Neutral:
		return 1
	case Add:
		return 2
	case Break:
		return 3
	}
	return 0
}

// A Rule names a sort of change, for filters, exceptions and programs.
type Rule string

// The rules.
const (
	TypeAdded        Rule = "type-added"
	TypeRemoved      Rule = "type-removed"
	MemberAdded      Rule = "member-added"
	MemberRemoved    Rule = "member-removed"
	MemberRenamed    Rule = "member-renamed"
	MemberType       Rule = "member-type"
	MemberMoved      Rule = "member-moved"
	MemberWidth      Rule = "member-width"
	SizeChanged      Rule = "size"
	EnumValueAdded   Rule = "enum-value-added"
	EnumValueRemoved Rule = "enum-value-removed"
	EnumValueChanged Rule = "enum-value-changed"
	FuncAdded        Rule = "func-added"
	FuncRemoved      Rule = "func-removed"
	FuncSignature    Rule = "func-signature"
	FuncLinkage      Rule = "func-linkage"
	VarAdded         Rule = "var-added"
	VarRemoved       Rule = "var-removed"
	VarPlace         Rule = "var-place"
	VarSize          Rule = "var-size"
	VarType          Rule = "var-type"
	VarLinkage       Rule = "var-linkage"
	SectionSize      Rule = "section-size"
	TypeTarget       Rule = "type-target"   // of a typedef
	TypeEncoding     Rule = "type-encoding" // of a number or an enum: sign, character, boolean
	TypeCopies       Rule = "type-copies"
	TagRule          Rule = "tag"
	OrderRule        Rule = "order"
)

// A RuleInfo describes a rule.
type RuleInfo struct {
	Name Rule
	// Severity is the most severe one for a change by this rule. A change that moves nothing and keeps the size may be neutral.
	Severity Severity
	Text     string
}

// Rules lists all rules, in the order in which a cause lists them.
var Rules = []RuleInfo{
	{TypeAdded, Add, "a struct, union, enum, typedef or number is there that was not, or is defined that was only declared"},
	{TypeRemoved, Break, "a struct, union, enum, typedef or number is gone, or is only declared that was defined"},
	{MemberAdded, Add, "a struct or union has a member more"},
	{MemberRemoved, Break, "a struct or union has a member less"},
	{MemberRenamed, Break, "a member has another name, or is reached through another member"},
	{MemberType, Break, "a member has another type; neutral if it has the same sort and size, an enum keeps its values, and what a pointer leads to is used in the same way"},
	{MemberMoved, Neutral, "a member stands at another place in the order, or at another offset that nothing explains"},
	{MemberWidth, Break, "a bit field is wider or narrower, or is none any more"},
	{SizeChanged, Neutral, "a type has another size that its members do not explain; of a number it breaks"},
	{EnumValueAdded, Add, "an enum has an enumerator more"},
	{EnumValueRemoved, Break, "an enum has an enumerator less"},
	{EnumValueChanged, Break, "an enumerator has another value"},
	{FuncAdded, Add, "a function is there that was not"},
	{FuncRemoved, Break, "a function is gone, from the source or by inlining"},
	{FuncSignature, Break, "a function returns or takes something else; neutral if only names of parameters changed"},
	{FuncLinkage, Neutral, "a function became static, global or external"},
	{VarAdded, Add, "a variable is there that was not"},
	{VarRemoved, Break, "a variable is gone"},
	{VarPlace, Neutral, "a variable is in another section, past others, or aligned otherwise"},
	{VarSize, Neutral, "a variable takes another size that its type does not explain"},
	{VarType, Break, "a variable has another type; neutral if it has the same sort and size, an enum keeps its values, and what a pointer leads to is used in the same way"},
	{VarLinkage, Neutral, "a variable became static, global or external"},
	{SectionSize, Neutral, "a section is there, is gone, or has another size that its variables do not explain"},
	{TypeTarget, Break, "a typedef stands for another type; neutral if it has the same sort and size, an enum keeps its values, and what a pointer leads to is used in the same way"},
	{TypeEncoding, Neutral, "a number or enum became signed, unsigned, a character or a boolean"},
	{TypeCopies, Neutral, "there are more or fewer types of one name and content"},
	{TagRule, Neutral, "a declaration, member or parameter gained or lost a tag"},
	{OrderRule, Neutral, "types stand in another order, or refer to another one of several that read alike"},
}

// ruleRank returns the index of a rule in Rules.
func ruleRank(name Rule) int {
	return slices.IndexFunc(Rules, func(r RuleInfo) bool { return r.Name == name })
}

// severityOf returns the severity of a rule, unless a change has its own.
func severityOf(r Rule) Severity {
	for _, info := range Rules {
		if info.Name == r {
			return info.Severity
		}
	}
	return ""
}
