package verify

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// tags are the features that make tags.
var tags = feature.Of(feature.DeclTag, feature.DeclTagKfuncs, feature.TypeTag, feature.Attributes)

// variables are the features that make VARs and DATASECs.
var variables = feature.Of(feature.Var, feature.GlobalVar)

// perCPU is the section of the feature var.
const perCPU = btf.SectionPerCPU

// since says from which generation on kernels take what a feature makes. A feature that is not here makes nothing that a generation
// of the table refuses for being new.
var since = []struct {
	features feature.Set
	kernel   Kernel
}{
	{feature.Of(feature.Float, feature.DeclTag, feature.TypeTag, feature.Enum64, feature.DeclTagKfuncs), V6_1},
	{feature.Of(feature.Attributes), V6_18},
	{feature.Of(feature.Layout), V7_2},
}

// causes says which features can make a kernel refuse, by what it says of which kind of type; void stands for all kinds, and an empty
// phrase for all that is said of a kind. Without these features there is nothing of the sort in the BTF.
var causes = []struct {
	phrase   string // as in phrases
	kind     btf.Kind
	features feature.Set
	before   Kernel // the generation that refuses for this reason no more; Newest if there is none
}{
	{"Unsupported btf_header", 0, feature.Of(feature.Layout), V7_2},
	{"Invalid btf_info", 0, feature.Of(feature.Float, feature.DeclTag, feature.TypeTag, feature.Enum64, feature.DeclTagKfuncs), V6_1},
	{"Invalid kind", 0, feature.Of(feature.Float, feature.DeclTag, feature.TypeTag, feature.Enum64, feature.DeclTagKfuncs), V6_1},
	{"Invalid btf_info kind_flag", btf.KindEnum, feature.Of(feature.Enum64), V6_1}, // which marks signed enums by it
	{"Invalid btf_info kind_flag", btf.KindTypeTag, feature.Of(feature.Attributes), V6_18},
	{"Invalid btf_info kind_flag", btf.KindDeclTag, feature.Of(feature.Attributes), V6_18},
	{"Type tags don't precede modifiers", 0, feature.Of(feature.TypeTag, feature.Attributes), V7_2},
	{fieldTag, 0, feature.Of(feature.TypeTag, feature.Attributes), Newest},
	{"Member is not properly aligned", 0, feature.Of(feature.Float), Newest},
	{"", btf.KindFloat, feature.Of(feature.Float), Newest},
	{"", btf.KindEnum64, feature.Of(feature.Enum64), Newest},
	{"", btf.KindTypeTag, tags.Without(feature.DeclTag, feature.DeclTagKfuncs), Newest},
	{"", btf.KindDeclTag, tags.Without(feature.TypeTag), Newest},
	{"", btf.KindVar, variables, Newest},
	{"", btf.KindDatasec, variables, Newest},
}

// remedy tells which features are to be left out so that the kernel gets past a fault: those that can cause it, and those others that
// it does not know, at which it would stop next. used are the features that the BTF was made with, the zero value if nobody knows; then
// the default ones count. The set is the zero value where no feature is at fault.
func remedy(key string, kind btf.Kind, kernel Kernel, used feature.Set) feature.Set {
	var out feature.Set
	for _, c := range causes {
		if (c.phrase == "" || c.phrase == key) && (c.kind == btf.KindVoid || c.kind == kind) && (c.before == Newest || kernel.known() < c.before) {
			out = c.features &^ feature.None
			break
		}
	}
	if used.Chosen() {
		out &= used
	} else {
		used = feature.Default()
	}
	if out == 0 {
		return 0
	}
	for _, s := range since {
		if kernel.known() < s.kernel {
			out |= s.features & used
		}
	}
	return out &^ feature.None
}

// remedyText says a remedy in words: what to leave out and why, and the list of what is left of the default.
func remedyText(out feature.Set, kernel Kernel, used feature.Set) string {
	if out == 0 {
		return ""
	}
	if !used.Chosen() {
		used = feature.Default()
	}
	var parts []string
	rest := out
	for _, s := range since {
		if names := (rest & s.features).Names(); len(names) > 0 && kernel.known() < s.kernel {
			parts = append(parts, fmt.Sprintf("%s (taken from %s on)", strings.Join(names, ", "), s.kernel))
			rest &^= s.features
		}
	}
	if names := rest.Names(); len(names) > 0 {
		parts = append(parts, strings.Join(names, ", "))
	}
	left := "none"
	if s := used &^ out; s != feature.None {
		left = s.String()
	}
	text := fmt.Sprintf("encode it for kernel %s without %s, that is with the features %s", kernel, strings.Join(parts, ", "), left)
	if out&variables != 0 {
		text += ", or leave out single variables by sections in the manifest (profile default)"
	}
	return text
}
