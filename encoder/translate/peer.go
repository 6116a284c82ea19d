package translate

import "github.com/btfbatch/btfbatch/encoder/dwarf"

// fakeInt is rule 02/4.1: an integer whose size BTF cannot express becomes a 4-byte one of this name.
func fakeInt(s *dwarf.Strings) dwarf.StrKey { return s.Key("__SANITIZED_FAKE_INT__") }
