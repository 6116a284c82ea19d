package verify

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// tags are the features that produce tags.
var tags = feature.Of(feature.DeclTag, feature.DeclTagKfuncs, feature.TypeTag, feature.Attributes)

// variables are the features that produce VARs and DATASECs.
var variables = feature.Of(feature.Var, feature.GlobalVar)

// perCPU is the section of the feature var.
const perCPU = btf.SectionPerCPU

// since lists the first generation of kernels that accepts the output of a feature. No generation refuses the
// output of other features for being too new.
var since = []struct {
	features feature.Set
	kernel   Kernel
}{
	{feature.Of(feature.Float, feature.DeclTag, feature.TypeTag, feature.Enum64, feature.DeclTagKfuncs), V6_1},
	{feature.Of(feature.Attributes), V6_18},
	{feature.Of(feature.Layout), V7_2},
}

// causes lists the features that can cause a refusal, by phrase and kind of the type. Kind void stands for all kinds, and an empty phrase
// for all phrases about a kind. Without these features the BTF has nothing that causes this refusal.
var causes = []struct {
	phrase   string // key in phrases
	kind     btf.Kind
	features feature.Set
	before   Kernel // the first generation that does not refuse for this reason; Newest if there is none
}{
	{"Unsupported btf_header", 0, feature.Of(feature.Layout), V7_2},
	{"Invalid btf_info", 0, feature.Of(feature.Float, feature.DeclTag, feature.TypeTag, feature.Enum64, feature.DeclTagKfuncs), V6_1},
	{"Invalid kind", 0, feature.Of(feature.Float, feature.DeclTag, feature.TypeTag, feature.Enum64, feature.DeclTagKfuncs), V6_1},
	{"Invalid btf_info kind_flag", btf.KindEnum, feature.Of(feature.Enum64), V6_1}, // Enum64 marks signed enums by the flag
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

// remedy returns the features to omit so that the kernel accepts a blob with this fault: those that can cause it, and all others that the
// kernel does not know, because it would refuse their output next. used are the features of the BTF; if they are not known (the zero
// value), the default features count. The result is the zero value if no feature causes the fault.
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

// remedyText describes a remedy in words: what to omit and why, and the list of the default features that remain.
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
