package encoder

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// A Language is a source language by its DWARF code (DW_LANG), such as 0x1c for Rust. Any DWARF code is allowed.
type Language uint64

// ParseLanguage finds a language by its name, such as rust or c++14; case does not matter. A name stands for one code: c does not include
// C11.
func ParseLanguage(name string) (Language, error) {
	code, ok := dwarf.Language(name)
	if !ok {
		return 0, fmt.Errorf("language %q is none of %s", name, strings.Join(dwarf.LanguageNames(), ", "))
	}
	return Language(code), nil
}

// ParseLanguages finds several languages by their names; see ParseLanguage.
func ParseLanguages(names []string) ([]Language, error) {
	list := make([]Language, 0, len(names))
	for _, name := range names {
		l, err := ParseLanguage(name)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

// LanguageNames returns the names that ParseLanguage accepts.
func LanguageNames() []string { return dwarf.LanguageNames() }
