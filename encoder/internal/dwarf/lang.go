package dwarf

import "strings"

// languages are the names of the DW_LANG codes 1 to 37, in the order of the codes (rule 01/2.6).
var languages = strings.Fields(`c89 c ada83 c++ cobol74 cobol85 fortran77 fortran90 pascal83 modula2 java c99 ada95 fortran95 pli
	objc objc++ upc d python opencl go modula3 haskell c++03 c++11 ocaml rust c11 swift julia dylan c++14 fortran03 fortran08
	renderscript bliss`)

// langAssembler is DW_LANG_Mips_Assembler, which all assemblers use.
const langAssembler = 0x8001

// Language returns the code of a source language by its name. Case does not matter. A name stands for one code: c does not include C11.
func Language(name string) (code uint64, ok bool) {
	name = strings.ToLower(name)
	if name == "asm" {
		return langAssembler, true
	}
	for i, l := range languages {
		if l == name {
			return uint64(i) + 1, true
		}
	}
	return 0, false
}

// LanguageNames returns the names that Language accepts.
func LanguageNames() []string { return append(languages[:len(languages):len(languages)], "asm") }
