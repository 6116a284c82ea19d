package verify

import (
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

func TestRemedy(t *testing.T) {
	young := "float, decl_tag, type_tag, enum64, decl_tag_kfuncs (taken from 6.1 on)"
	for _, tt := range []struct {
		key    string
		kind   btf.Kind
		kernel Kernel
		used   feature.Set
		want   string
	}{
		{"Invalid btf_info kind_flag", btf.KindEnum, V5_10, 0,
			"encode it for kernel 5.10 without " + young + ", that is with the features encode_force,var,optimized_func,consistent_func"},
		{"Invalid btf_info", btf.KindFloat, V5_10, feature.Of(feature.Float, feature.Layout),
			"encode it for kernel 5.10 without float (taken from 6.1 on), layout (taken from 7.2 on), that is with the features none"},
		{"Invalid btf_info kind_flag", btf.KindTypeTag, V6_12, feature.Default().With(feature.Attributes),
			"encode it for kernel 6.12 without attributes (taken from 6.18 on), that is with the features " + feature.Default().String()},
		{"Invalid btf_info kind_flag", btf.KindTypeTag, V6_18, 0, "encode it for kernel 6.18 without type_tag, attributes, that is with the features " +
			feature.Default().Without(feature.TypeTag).String()},
		{"Invalid btf_info kind_flag", btf.KindStruct, V5_10, 0, ""},
		{"Unsupported btf_header", 0, V6_18, 0, "encode it for kernel 6.18 without layout (taken from 7.2 on), that is with the features " + feature.Default().String()},
		{"Unsupported btf_header", 0, V7_2, 0, ""},
		{"Type tags don't precede modifiers", btf.KindConst, V6_12, feature.Default(),
			"encode it for kernel 6.12 without type_tag, that is with the features " + feature.Default().Without(feature.TypeTag).String()},
		{"Invalid name", btf.KindStruct, V6_1, 0, ""},
		{"Invalid name", btf.KindDatasec, V6_1, feature.Of(feature.GlobalVar), "encode it for kernel 6.1 without global_var, that is with the features none, " +
			"or leave out single variables by sections in the manifest (profile default)"},
		{"Invalid offset", btf.KindDatasec, Newest, feature.Of(feature.Float), ""}, // no feature of this BTF produced variables
	} {
		if got := remedyText(remedy(tt.key, tt.kind, tt.kernel, tt.used), tt.kernel, tt.used); got != tt.want {
			t.Errorf("%s %v, kernel %s, features %v:\ngot  %s\nwant %s", tt.key, tt.kind, tt.kernel, tt.used, got, tt.want)
		}
	}
}

// The table has only phrases that exist, and features that a kernel accepts from some generation on.
func TestCauses(t *testing.T) {
	for _, c := range causes {
		if c.phrase != "" && !slices.ContainsFunc(phrases, func(e entry) bool { return e.phrase == c.phrase }) {
			t.Errorf("%q is no phrase", c.phrase)
		}
		if c.features == 0 || c.phrase == "" && c.kind == btf.KindVoid {
			t.Errorf("%+v stands for nothing or for all", c)
		}
	}
	for _, s := range since {
		for _, k := range Kernels() {
			knows := true
			for _, name := range s.features.Names() {
				switch name {
				case "layout":
					knows = k.generation().header > 24
				case "attributes":
					knows = k.generation().kflags.Has(btf.KindTypeTag)
				default:
					knows = k.generation().lastKind == btf.KindEnum64
				}
			}
			if knows != (k >= s.kernel) {
				t.Errorf("%v: the table says from %s on, and kernel %s says %t", s.features, s.kernel, k, knows)
			}
		}
	}
	if !strings.Contains(remedyText(feature.Of(feature.Layout), V6_1, 0), "layout (taken from 7.2 on)") {
		t.Error("layout is not named")
	}
}
