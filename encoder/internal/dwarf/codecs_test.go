package dwarf_test

import _ "github.com/btfbatch/btfbatch/encoder/input/codecs" // tests read compressed files
