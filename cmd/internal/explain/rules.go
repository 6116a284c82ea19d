package explain

import (
	"github.com/btfbatch/btfbatch/encoder/funcs"
	"github.com/btfbatch/btfbatch/encoder/vars"
)

// varRules names the rule behind each reason; where a section rule of the manifest has a word for it, that word.
var varRules = [vars.NumReasons]string{
	vars.Kept:         "kept",
	vars.NotTopLevel:  "top-level",
	vars.Artificial:   "artificial",
	vars.OtherSection: "section",
	vars.Unnamed:      "unnamed",
	vars.NotAVariable: "reserved-name",
	vars.NoSymbol:     "non-allocated",
	vars.ZeroAddress:  "zero-address",
	vars.Excluded:     "symbol-pattern",
	vars.InvalidName:  "valid-name",
	vars.VoidType:     "sized-type",
	vars.ZeroSize:     "sized-type",
	vars.OffsetTooBig: "offset",
	vars.Duplicate:    "unique",
}

// funcRules names the rule behind each reason.
var funcRules = [funcs.NumReasons]string{
	funcs.Kept:                  "kept",
	funcs.UnexpectedRegister:    "expected-registers",
	funcs.InconsistentPrototype: "consistent-prototype",
	funcs.UncertainLocation:     "certain-location",
	funcs.ReorderedParameters:   "parameter-order",
	funcs.OptimizedParameters:   "optimized-parameters",
	funcs.AmbiguousAddress:      "unambiguous-address",
}
