package encoder

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// Language is the DWARF code of a source language by its name, such as rust or c++14.
func Language(name string) (code uint64, ok bool) { return dwarf.Language(name) }

// LanguageNames are the names that Language knows.
func LanguageNames() []string { return dwarf.LanguageNames() }

// ParseLanguages turns the names of source languages, such as rust or c++14, into the DWARF codes of Options.LangExclude.
func ParseLanguages(names []string) ([]uint64, error) {
	codes := make([]uint64, 0, len(names))
	for _, name := range names {
		code, ok := dwarf.Language(name)
		if !ok {
			return nil, fmt.Errorf("language %q is none of %s", name, strings.Join(dwarf.LanguageNames(), ", "))
		}
		codes = append(codes, code)
	}
	return codes, nil
}
