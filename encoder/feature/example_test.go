package feature_test

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/feature"
)

func Example() {
	s, err := feature.Parse("+distilled_base")
	if err != nil {
		fmt.Println(err)
	}
	s = s.With(feature.GlobalVar).Without(feature.Enum64, feature.OptimizedFunc)
	fmt.Println(s)
	fmt.Println(s.Has(feature.Var), s.Has(feature.Layout))
	_, err = feature.Parse("var,enum_64")
	fmt.Println(err)
	// Output:
	// encode_force,var,float,decl_tag,type_tag,consistent_func,decl_tag_kfuncs,distilled_base,global_var
	// true false
	// unknown BTF feature "enum_64" (known: default, all, encode_force, var, float, decl_tag, type_tag, enum64, optimized_func, consistent_func, decl_tag_kfuncs, reproducible_build, distilled_base, global_var, attributes, true_signature, layout, force_cu_merging)
}
