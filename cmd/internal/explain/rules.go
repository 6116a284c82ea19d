package explain

import (
	"github.com/btfbatch/btfbatch/encoder"
)

// varRules names the rule behind each reason; where a section rule of the manifest has a word for it, that word.
var varRules = [encoder.NumVarReasons]string{
	encoder.VarKept:         "kept",
	encoder.VarNotTopLevel:  "top-level",
	encoder.VarArtificial:   "artificial",
	encoder.VarOtherSection: "section",
	encoder.VarUnnamed:      "unnamed",
	encoder.VarNotAVariable: "reserved-name",
	encoder.VarNoSymbol:     "non-allocated",
	encoder.VarZeroAddress:  "zero-address",
	encoder.VarExcluded:     "symbol-pattern",
	encoder.VarInvalidName:  "valid-name",
	encoder.VarVoidType:     "sized-type",
	encoder.VarZeroSize:     "sized-type",
	encoder.VarOffsetTooBig: "offset",
	encoder.VarDuplicate:    "unique",
}

// funcRules names the rule behind each reason.
var funcRules = [encoder.NumFuncReasons]string{
	encoder.FuncKept:                  "kept",
	encoder.FuncUnexpectedRegister:    "expected-registers",
	encoder.FuncInconsistentPrototype: "consistent-prototype",
	encoder.FuncUncertainLocation:     "certain-location",
	encoder.FuncReorderedParameters:   "parameter-order",
	encoder.FuncOptimizedParameters:   "optimized-parameters",
	encoder.FuncAmbiguousAddress:      "unambiguous-address",
}
